"""`python -m daybook check FILE`: what the loader would accept and refuse of a file, with line numbers and reasons.

It asks no server and publishes nothing. Values are shown nowhere but in the files of --out.
"""

import argparse
from pathlib import Path

from daybook.asked import pipeline_named
from daybook.check import Checked, check, names_in, of_columns
from daybook.errors import BadSpec
from daybook.spec import Source, nearest
from daybook.telling import tell_json, tell_table

# The exit codes of a file (docs/reliability.md); 40, a wrong command or spec, is __main__'s.
ACCEPTED, WITH_REFUSED_ROWS, REFUSED = 0, 10, 20
SHOWN_LINES = 20


def main(words: list[str]) -> int:
    """Check the file of the command line and print what was found. Returns the exit code."""
    asked = _parser().parse_args(words)
    try:
        found = check(asked.file, _contract(asked), asked.out)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BadSpec(f"{error.filename}: {error.strerror}; nothing was checked") from None
    if asked.json:
        tell_json(_in_words(found))
    else:
        tell(found)
    return exit_code(found)


def exit_code(found: Checked) -> int:
    """Give 0 where every row is accepted, 10 where some are refused, 20 where the file is."""
    if found.message:
        return REFUSED
    return WITH_REFUSED_ROWS if found.refused else ACCEPTED


def tell(found: Checked) -> None:
    """Print the verdict, the counts by reason, and the first refused lines."""
    if found.message:
        print(f"refused as a whole: {found.message}")
    else:
        print(
            f"{found.file}: {found.accepted + len(found.refused):,} rows, {found.accepted:,} accepted, "
            f"{len(found.refused):,} refused, {found.empty_lines:,} empty lines"
        )
    if found.refused:
        print()
        tell_table(("reason", "column", "rows"), [(*_named(*of), f"{n:,}") for of, n in found.reasons.most_common()])
        print()
        lines = [(f"{row.line:,}", *_named(row.reason, row.column)) for row in found.refused[:SHOWN_LINES]]
        tell_table(("line", "reason", "column"), lines)
    if len(found.refused) > SHOWN_LINES:
        print(f"and {len(found.refused) - SHOWN_LINES:,} more; --json gives all, --out FOLDER also their values")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("daybook check", description="Say what the loader makes of a file.")
    made.add_argument("file", type=Path, help="the file")
    by = made.add_mutually_exclusive_group()
    by.add_argument(
        "--pipeline", metavar="NAME", help="by the contract of this pipeline's file; NAME.SOURCE of several"
    )
    by.add_argument("--columns", metavar="A,B,C", help="by these columns, all of text; default: the file's own header")
    made.add_argument("--json", action="store_true", help="answer in JSON")
    made.add_argument("--out", type=Path, metavar="FOLDER", help="write accepted and refused rows there, as CSV")
    return made


def _contract(asked: argparse.Namespace) -> Source:
    if asked.pipeline is not None:
        return _source_named(asked.pipeline)
    return of_columns(asked.columns.split(",") if asked.columns is not None else names_in(asked.file))


def _source_named(name: str) -> Source:
    pipeline = pipeline_named(name.partition(".")[0])
    files, wanted = [file.name for file in pipeline.files], name.partition(".")[2]
    if not wanted and len(files) == 1:
        return pipeline.files[0]
    if wanted not in [source.name for source in pipeline.sources]:
        names = [f"{pipeline.name}.{source.name}" for source in pipeline.sources]
        raise BadSpec(f"{name}: which of its files?{nearest(name, names)}; there are {', '.join(names)}")
    return pipeline.source(wanted)


def _named(reason: str, column: str | None) -> tuple[str, str]:
    return reason, column or ""


def _in_words(found: Checked) -> dict[str, object]:
    reasons = [{"reason": reason, "column": column, "rows": n} for (reason, column), n in found.reasons.most_common()]
    return {
        "file": found.file,
        "exit_code": exit_code(found),
        "message": found.message,
        "rows": found.accepted + len(found.refused),
        "accepted": found.accepted,
        "refused": len(found.refused),
        "empty_lines": found.empty_lines,
        "reasons": reasons,
        "lines": found.refused,
    }
