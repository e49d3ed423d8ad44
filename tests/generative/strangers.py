"""Files that nobody here wrote, through the loader: `python -m tests.generative.strangers [FOLDER or FILE]...`.

Without folders: whatever lies in Python's packages, in /usr/share and in /usr/lib. Each file is loaded in a process of
its own with a limit of time, every column as text by the file's own header, and held against Python's csv module:
no crash, no hang, no row lost, no value changed. Prints the counts and every finding; exits with 1 if there is one.
At the end it says how many load by `./daybook check`, and how many with the words that it proposes.
"""

import multiprocessing
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from tests.generative.stranger import ENDS, Verdict, judged

FOLDERS = (sysconfig.get_path("purelib"), "/usr/share", "/usr/lib")
ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".tab", ".psv")
# For the loader and the comparison; the loader alone has stranger.LIMIT_S.
PATIENCE_S = 120
# What is larger takes the comparison in Python too long; the loader itself knows no such limit.
LARGEST_BYTES = 64_000_000
FORK = multiprocessing.get_context("fork")


def main(folders: list[str]) -> int:
    """Judge every file, print each finding at once and the counts at the end, and give the exit code."""
    began = time.monotonic()
    verdicts = []
    for file in files(folders or FOLDERS):
        verdicts.append(apart(file))
        if verdicts[-1].finding:
            print(f"{file}: {verdicts[-1].outcome}: {verdicts[-1].finding}", flush=True)
    print(f"{len(verdicts):,} files in {time.monotonic() - began:.0f} s", told(verdicts), sep="\n")
    return 1 if not verdicts or any(verdict.finding for verdict in verdicts) else 0


def files(folders: Iterable[str]) -> Iterator[Path]:
    """Return the files that may be tables, packed or not; of one name and size only the first."""
    seen: set[tuple[str, int]] = set()
    for folder in map(Path, folders):
        for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            plain = file.name.lower().removesuffix(".gz")
            if file.is_file() and plain.endswith(ENDINGS) and file.stat().st_size <= LARGEST_BYTES:
                known = (file.name, file.stat().st_size)
                if known not in seen:
                    seen.add(known)
                    yield file


def apart(file: Path) -> Verdict:
    """Judge a file in a process of its own: one that dies or does not come back is a finding."""
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_judge, args=(file, there))
    process.start()
    there.close()
    try:
        return here.recv() if here.poll(PATIENCE_S) else Verdict("hung", f"nothing after {PATIENCE_S} s")
    except EOFError:
        process.join()
        return Verdict("died", f"exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()


def _judge(file: Path, to: Connection) -> None:
    to.send(judged(file))


def told(verdicts: list[Verdict]) -> str:
    """Return how many files ended in which way, and how many records."""
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    records = sum((verdict.records for verdict in verdicts), Counter[str]())
    counts = [
        ("findings", sum(verdict.finding is not None for verdict in verdicts)),
        *outcomes.most_common(),
        *records.most_common(),
    ]
    return "\n".join([*(f"{count:12,} {what}" for what, count in counts), *_words_told(verdicts)])


def _words_told(verdicts: list[Verdict]) -> Iterator[str]:
    tried = [verdict.words for verdict in verdicts if verdict.words]
    yield f"{len(tried):12,} tried by ./daybook check, as they are and with the words that it proposes:"
    for end in ENDS:
        before, after = (sum(words[place] == end for words in tried) for place in (0, 1))
        yield f"{before:12,} {end}, {after:,} with words"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
