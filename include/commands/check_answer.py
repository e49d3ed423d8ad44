"""How `./daybook check` answers: the verdict, the counts by reason, the first lines; as text or as JSON.

Called by check.py. It shows no value of a row.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from commands import exit_codes
from commands.check_file import Checked, Refused
from commands.check_proposals import Proposal
from commands.check_steps import Stepped
from commands.output import say, tell_table
from daybook.ledger.receipt import Rows
from daybook.loader.limits import HINTS
from daybook.text import counted, first_spans, lines_from, one_line, portion

SHOWN_LINES = 20


class Answer(NamedTuple):
    """What was found about a file: by the loader; and by the steps after it, with the name of its source, if a pipeline
    was named. proposals: the words under which more of its rows load."""

    checked: Checked
    source: str = ""
    stepped: Stepped | None = None
    proposals: list[Proposal] = []

    @property
    def message(self) -> str | None:
        """Return why the file, or the day, would be refused as a whole."""
        return self.checked.message or (self.stepped.message if self.stepped else None)

    @property
    def refused(self) -> list[Refused]:
        """Return the refused rows of the file, in the order of the steps."""
        return self.stepped.refused[self.source] if self.stepped else self.checked.refused

    @property
    def last(self) -> Rows | None:
        """Return the rows of the file in the last step that was done."""
        steps = list(self.stepped.steps.values()) if self.stepped else []
        return next((step[self.source] for step in reversed(steps) if self.source in step), None)

    @property
    def accepted(self) -> int:
        """Return how many rows of the file no step refuses or drops."""
        return self.last.kept if self.last else self.checked.accepted

    @property
    def dropped(self) -> Counter[str]:
        """Count the rows that steps after `load` drop, by reason."""
        steps = self.stepped.steps if self.stepped else {}
        return Counter(steps["clean"][self.source].dropped if self.source in steps.get("clean", {}) else {})


def exit_code(found: Answer) -> int:
    """Return 0 if every row is accepted, or 1 if there is a warning; 10 if some are refused, 20 if the file is."""
    if found.message:
        return exit_codes.FILE_REFUSED
    if found.refused or (found.stepped and any(found.stepped.refused.values())):
        return exit_codes.ROWS_REFUSED
    is_held = found.stepped is not None and bool(found.stepped.held.doubts)
    return exit_codes.NOT_AS_ASKED if found.checked.warnings or is_held else exit_codes.DONE


def tell(found: Answer) -> None:
    """Print the verdict, the counts by reason, and the first refused lines."""
    checked = found.checked
    if found.message:
        say(f"refused as a whole: {found.message}")
    if not checked.message:
        say(_counts(found))
    for word, lines in checked.skipped.items():
        say(f"{word}: {counted(lines, 'line')}, no {'row' if lines == 1 else 'rows'}")
    if checked.twins:
        done = "dropped" if checked.on_twins == "drop" else "refused"
        say(f"{counted(len(checked.twins), 'row')} equal to others and {done}: {first_spans(checked.twins)}")
    for (token, column), count in checked.tokens.most_common():
        say(f"{one_line(repr(token))} stands for a missing value in {counted(count, 'field')} of {one_line(column)!r}")
    for warning in checked.warnings:
        say(f"warning: {one_line(checked.file)}: {warning}")
    if found.stepped and not checked.message:
        _tell_steps(found, found.stepped)
    if found.refused:
        _tell_refused(found)
    for one in found.proposals:
        loaded = portion(one.accepted, one.rows, "row", "loads", "load")
        say(f"proposal: with {one_line(one.words)} in its spec, {loaded}")


def _counts(found: Answer) -> str:
    checked, dropped = found.checked, found.dropped.total()
    rows = counted(checked.accepted + len(checked.refused), "row")
    blank = counted(checked.counted.blank, "empty line")
    return (
        f"{one_line(checked.file)}: {rows}, {found.accepted:,} accepted, "
        f"{_refused(found.refused)}, {f'{dropped:,} dropped, ' if dropped else ''}{blank}"
    )


def _tell_steps(found: Answer, stepped: Stepped) -> None:
    """Print a line for each step after `load`, for each lookup, and for the day."""
    is_facts = "index" in stepped.steps
    day = f", as of {stepped.meant.day} ({stepped.meant.why})" if is_facts else ""
    for step in list(stepped.steps)[1:]:
        if found.source in stepped.steps[step]:
            say(f"{step}{day if step == 'clean' else ''}: {_in_step(stepped.steps[step][found.source])}")
    for name, count in stepped.unknown.items():
        say(f"index: {counted(count, 'row')} without a match in {name}")
    for name in stepped.refused:
        if name != found.source:
            _tell_lookup(name, stepped)
    if stepped.unchecked:
        names = ", ".join(stepped.unchecked)
        say(f"index: not checked against {names}; --lookup NAME=FILE gives a lookup's rows as CSV")
    if is_facts and not found.message:
        say(_told_day(stepped))


def _in_step(rows: Rows) -> str:
    refused = f", {rows.refused_rows:,} refused{_reasons(rows.refused)}" if rows.refused else ""
    dropped = f", {sum(rows.dropped.values()):,} dropped{_reasons(rows.dropped)}" if rows.dropped else ""
    return f"{counted(rows.read, 'row')}, {rows.kept:,} kept{refused}{dropped}"


def _reasons(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{reason} {count:,}' for reason, count in Counter(counts).most_common(SHOWN_LINES))})"


def _tell_lookup(name: str, stepped: Stepped) -> None:
    for step in ("load", "clean"):
        if name in stepped.steps[step]:
            say(f"{step} of {name}: {_in_step(stepped.steps[step][name])}")
    if rows := stepped.refused[name]:
        say(f"the first refused of {name}: lines {first_spans(row.line for row in rows)}")


def _told_day(stepped: Stepped) -> str:
    if stepped.held.doubts:
        return f"the day would be held as implausible: {'; '.join(stepped.held.doubts)}"
    if stepped.held.is_known:
        return "the day would not be held as implausible"
    return "whether the day would be held as implausible is not known: only the ledger has the days before it"


def _tell_refused(found: Answer) -> None:
    say("")
    _tell_reasons(found.refused, is_by_step=found.stepped is not None)
    for reason, hint in _hints(found).items():
        say(f"{reason}: {hint}")
    say("")
    rows = [
        (row.step, lines_from(row.line, row.lines), row.reason, one_line(row.column or "")) for row in found.refused
    ]
    _tell(("step", "line", "reason", "column"), rows[:SHOWN_LINES], is_by_step=found.stepped is not None)
    if len(rows) > SHOWN_LINES:
        say(f"and {len(rows) - SHOWN_LINES:,} more; --json gives all, --out FOLDER also the values that load refuses")


def _hints(found: Answer) -> dict[str, str]:
    """Return the usual cause of each reason, and the word that takes such rows, if the message does not say it."""
    reasons = dict.fromkeys(reason for _, reason, _ in records(found.refused))
    return {reason: HINTS[reason] for reason in reasons if HINTS.get(reason, "") not in (found.message or "")}


def _refused(refused: list[Refused]) -> str:
    records, lines = len(refused), sum(row.lines for row in refused)
    return f"{records:,} refused" if records == lines else f"{_records(records, lines)} refused"


def _records(records: int, lines: int) -> str:
    return f"{counted(records, 'record')} of {counted(lines, 'line')}"


def records(refused: list[Refused]) -> dict[tuple[str, str, str | None], tuple[int, int]]:
    """Count refused records, and their lines, by step, reason and column; those with most records first."""
    records, lines = Counter[tuple[str, str, str | None]](), Counter[tuple[str, str, str | None]]()
    for row in refused:
        records[row.step, row.reason, row.column] += 1
        lines[row.step, row.reason, row.column] += row.lines
    return {of: (count, lines[of]) for of, count in records.most_common()}


def _tell_reasons(refused: list[Refused], *, is_by_step: bool) -> None:
    """Print a row for each reason and column, and how many lines the records take, if some take several."""
    counts = records(refused)
    is_in_lines = any(count != lines for count, lines in counts.values())
    titles = ("step", "reason", "column", "rows", *(["lines"] if is_in_lines else []))
    rows = [
        (
            step,
            reason,
            one_line(column or ""),
            *(f"{count:,}" for count in counts[step, reason, column][: len(titles) - 3]),
        )
        for step, reason, column in counts
    ]
    _tell(titles, rows, is_by_step=is_by_step)


def _tell(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, is_by_step: bool) -> None:
    """Print a table whose first column is the step; without a pipeline there is only `load`."""
    first = 0 if is_by_step else 1
    tell_table(titles[first:], [row[first:] for row in rows])


def in_words(found: Answer) -> dict[str, object]:
    """Return all of it for JSON."""
    checked = found.checked
    reasons = [
        {"step": of[0], "reason": of[1], "column": of[2], "rows": count, "lines": lines, "hint": HINTS.get(of[1])}
        for of, (count, lines) in records(found.refused).items()
    ]
    return {
        "file": checked.file,
        "exit_code": exit_code(found),
        "message": found.message,
        "warnings": checked.warnings,
        "rows": checked.accepted + len(checked.refused),
        "accepted": found.accepted,
        "refused": len(found.refused),
        "refused_lines": sum(row.lines for row in found.refused),
        "dropped": found.dropped,
        "empty_lines": checked.counted.blank,
        "skipped_lines": dict(checked.skipped),
        "twins": {"lines": checked.twins, "will_be": checked.on_twins},
        "tokens": [{"token": of[0], "column": of[1], "fields": n} for of, n in checked.tokens.most_common()],
        "reasons": reasons,
        "lines": found.refused,
        "proposals": found.proposals,
        **(_steps_in_words(found.stepped) if found.stepped else {}),
    }


def _steps_in_words(stepped: Stepped) -> dict[str, object]:
    held = stepped.held
    return {
        "day": stepped.meant.day,
        "day_is": stepped.meant.why,
        "steps": stepped.steps,
        "unknown": stepped.unknown,
        "lookups_not_checked": stepped.unchecked,
        "would_be_held": bool(held.doubts) if held.is_known else None,
        "doubts": held.doubts,
        "refused_of": stepped.refused,
    }
