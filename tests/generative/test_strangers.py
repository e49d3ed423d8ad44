"""The run over strangers' files: what it says of files that are known, and that it sees a loader that errs."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.generative import strangers
from tests.generative.stranger import Taken, contract, disagreement, judged

GOOD = 'a,b\n1,"x\ny"\n\n2,z\n'
FILES = {
    "good.csv": (GOOD.encode(), "kept whole"),
    "latin.txt": ("a;é\n1;ü\n".encode("latin-1"), "kept whole"),
    "old.tsv": (b"a\tb\r1\t2\r", "kept whole"),
    "marked.csv": ("a,b\r\n1,é\r\n".encode("utf-16"), "kept whole"),
    "ragged.csv": (b'a;b\n1;2;3\n"1"x;2\n1;2\n3;4', "kept with rows refused"),
    "shifted.csv": (b"a b,c\n1,2,3\n4,5,6\n", "refused as a whole, for more than half of its rows are"),
    "open.csv": (b'a,b\n1,"x\n', "refused as a whole"),
    "empty.dat": (b"", "refused as a whole"),
    "bytes.dat": (bytes(range(256)), "refused as a whole"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_judged(name: str, tmp_path: Path) -> None:
    content, outcome = FILES[name]
    (tmp_path / name).write_bytes(content)
    verdict = judged(tmp_path / name)
    assert (verdict.outcome, verdict.finding) == (outcome, None)


def test_X1_files_of_strangers_are_loaded_beside_the_csv_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (content, _) in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert strangers.main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("9 files in ")
    assert "0 findings\n" in told
    assert "4 kept whole\n" in told
    # By quote=None the open quote is a letter; nothing takes a row that is too long.
    assert re.findall(r"(\d+) (kept whole|some rows refused|refused), (\d+) with words", told) == [
        ("4", "kept whole", "5"),
        ("1", "some rows refused", "1"),
        ("4", "refused", "3"),
    ]


ROWS: dict[int, tuple[str, ...]] = {2: ("1", "x\ny"), 5: ("2", "z")}


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (Taken(ROWS, {}, 1), None),
        (Taken(ROWS | {5: ("2", "y")}, {}, 1), "line 5: other values than the csv module has"),
        (Taken(ROWS | {6: ("2", "z")}, {}, 1), "line 6: other values than the csv module has"),
        (Taken({2: ROWS[2]}, {}, 1), "2 records, where the csv module has 3"),
        (Taken(ROWS, {}, 0), "2 records, where the csv module has 3"),
    ],
)
def test_a_row_changed_lost_or_made_up_is_seen(taken: Taken, said: str | None) -> None:
    assert disagreement(GOOD, contract(GOOD, "utf-8", False), taken) == said


def test_a_file_taken_whole_that_breaks_the_rules_of_quotes_is_seen() -> None:
    content = 'a,b\n1,"x"y\n'
    said = disagreement(content, contract(content, "utf-8", False), Taken({2: ("1", "xy")}, {}, 0))
    assert said is not None
    assert said.startswith("nothing is refused where the csv module says")


def dies(path: Path) -> Any:
    """End the process, as a fault in a library would."""
    os._exit(3)


def hangs(path: Path) -> Any:
    """Never come back."""
    time.sleep(600)


@pytest.mark.parametrize(("judge", "outcome"), [(dies, "died"), (hangs, "hung")])
def test_a_process_that_dies_or_hangs_is_a_finding(
    judge: Any, outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "judged", judge)
    monkeypatch.setattr(strangers, "PATIENCE_S", 1)
    verdict = strangers.apart(tmp_path / "any.csv")
    assert verdict.outcome == outcome
    assert verdict.finding
