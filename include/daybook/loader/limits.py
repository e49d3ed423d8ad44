"""Counts refused rows, and judges whether a file with so many is still the one that was agreed.

Called by load with the refused rows of each block, and at the end. Pure; it raises BadData with counts, never a value.
"""

from collections import Counter

import pyarrow as pa

from daybook.errors import BadData
from daybook.loader.layout import heights
from daybook.spec import Limits
from daybook.text import counted, lines_from, portion, verb

# Damage that may have swallowed neighbouring rows: of these, few are too many.
STRUCTURAL = frozenset(
    {
        "wrong_encoding",
        "nul_byte",
        "control_byte",
        "lone_carriage_return",
        "text_after_closing_quote",
        "quote_in_unquoted_field",
        "open_quote",
        "too_many_line_ends",
        "rows_in_quotes",
    }
)
# The usual cause if a reason is everywhere.
HINTS = {
    "wrong_encoding": 'the file may be cp1252 or Latin-1: declare encoding="cp1252" if that is meant',
    "too_many_fields": (
        "the delimiter may stand in a text without quotes, or at the end of each row: then declare "
        "has_trailing_delimiter=True"
    ),
    "too_few_fields": (
        "the delimiter may change, or rows may be broken in two; if empty fields are left out at their end, declare "
        "may_end_early=True"
    ),
    "line_too_long": (
        "the widths of columns may have changed; if what stands behind the last one is not needed, declare "
        'extra_columns="ignore"'
    ),
    "line_too_short": (
        "the widths of columns may have changed; if blanks are left out at the end of lines, declare may_end_early=True"
    ),
    "no_line_end": (
        "the file may be cut: have it delivered again, or declare is_last_line_end_needed=False if its last line never "
        "has a line end"
    ),
    "nul_byte": "the file may be damaged: have it delivered again",
    "control_byte": "declare are_control_bytes_kept=True if they belong to the texts",
    "lone_carriage_return": (
        "the line ends may be mixed: have the file written with LF or CRLF alone; if they are CR CR LF, declare "
        'line_end="crcrlf"'
    ),
    "unknown_escape": "the escape may be a letter of the texts: have it written twice there",
    "text_after_closing_quote": (
        "a stray quote may have opened a field; if quotes are escaped by a backslash, declare escape; if they are "
        "letters, and no text stands in them, declare quote=None"
    ),
    "quote_in_unquoted_field": (
        'the quotes of fields may be missing; if fields are written as ="0012", declare formulas="read"; if quotes are '
        "letters, and no text stands in them, declare quote=None"
    ),
    "too_many_line_ends": "a stray quote may have opened the field; if its texts are so long, raise field_line_ends",
    "rows_in_quotes": "a stray quote may have opened the field",
    "field_too_long": "a stray quote may have opened the field; if its texts are so long, raise field_bytes",
    "not_an_integer": (
        "spellings of nothing may be undeclared (null_tokens), or the column may hold decimals; if they are zeros, "
        'declare extra_zeros="ignore"'
    ),
    "too_many_decimals": 'declare a larger scale; if the further digits are zeros, extra_zeros="ignore"',
    "too_many_digits": "declare more digits, if such numbers are meant",
    "not_a_decimal": (
        "decimal commas, thousands separators, signs of currency or undeclared spellings of nothing: declare "
        "decimal_mark, thousands_mark, units, percent, negatives, bare_points, exponents or null_tokens"
    ),
    "not_a_date": "the dates' format may have changed; %-d and %-m read days and months without zeros",
    "no_such_date": "day and month may stand in the other order in the column's format",
    "not_a_timestamp": "the timestamps' format may have changed",
    "no_such_time": "day and month may stand in the other order in the column's format",
    "repeated_hour": 'if the hour is known, declare repeated_hour="first" or "second"; or ask for offsets (%z)',
    "skipped_hour": 'the times may be of another zone (time_zone), or declare skipped_hour="shift"',
    "not_a_boolean": "the spellings of yes and no may have changed (true_tokens, false_tokens)",
    "other_day": (
        "if the file holds several days, declare has_other_days=True; if rows come late, late_days counts them for "
        "their own"
    ),
    "not_json": "an object may stand on several lines, or it is another kind of file: have one written on each line",
    "unknown_column": 'declare the columns, or extra_columns="ignore", if they are meant',
    "not_a_text": "declare the kind that the column has in the file",
    "repeated_header": "several files may be joined in one",
}
SHOWN_REASONS = 10
# The raw bytes of refused rows are held in memory, and no file of rows to mend is larger.
STORED_BYTES = 2**28


class Tally:
    """Counts rows, lines and reasons, and refuses a file, or all files of a source together, if too much is wrong.

    A refused record counts by its lines, since a stray quote may have made one record of many rows.
    """

    def __init__(self, limits: Limits, name: str) -> None:
        self.limits = limits
        self.name = name
        self.kept = self.kept_lines = 0
        self.reasons: Counter[tuple[str, str | None]] = Counter()
        self.lines: Counter[tuple[str, str | None]] = Counter()
        self.stored_bytes = 0
        self.first_places: dict[tuple[str, str | None], str] = {}

    @property
    def rows(self) -> int:
        """Return the number of rows so far."""
        return self.kept + self.reasons.total()

    def add(self, kept: int, refused: pa.Table, file: str, kept_lines: int) -> None:
        """Count a block of a file. Raises BadData if more rows are refused than may be stored."""
        part = "" if file == self.name else f"{file}, "
        self.kept += kept
        self.kept_lines += kept_lines
        columns = (refused[name].to_pylist() for name in ("line", "column", "reason"))
        for line, column, reason, height in zip(*columns, heights(refused), strict=True):
            self.reasons[reason, column] += 1
            self.lines[reason, column] += height
            self.first_places.setdefault((reason, column), _place(part, line, height))
        self.stored_bytes += refused["raw"].nbytes
        most = counted(self.limits.stored_rows, "row")
        if self.reasons.total() > self.limits.stored_rows:
            raise BadData(
                self._message(f"more than {most} {verb(self.limits.stored_rows)} refused, and no more are stored")
            )
        if self.stored_bytes > STORED_BYTES:
            raise BadData(self._message(f"the refused rows have more than {STORED_BYTES:,} bytes; no more are stored"))

    def judge(self) -> None:
        """Judge the whole file by its limits. Raises BadData with the counts by reason."""
        if verdict := self._headers():
            raise BadData(self._message(verdict, ("repeated_header", None)))
        if verdict := self._many() or self._systemic() or self._structural():
            raise BadData(self._message(verdict))

    def _many(self) -> str | None:
        refused, (total, unit) = self.lines.total(), self._total()
        told = f"{portion(refused, total, unit)} refused"
        limit = max(self.limits.refused_rows, int(self.limits.refused_share * total))
        if refused > limit:
            return f"{told}, limit {limit:,}"
        return f"{told}, more than half" if refused > total - refused else None

    def _total(self) -> tuple[int, str]:
        """Return the number of rows, or of lines if a refused record has several; and which of the two it is."""
        if self.reasons == self.lines:
            return self.rows, "row"
        return self.kept_lines + self.lines.total(), "line"

    def _systemic(self) -> str | None:
        # If one column breaks the contract, the rows that happen to fit cannot be trusted either.
        most = max(self.reasons.values(), default=0)
        if most >= self.limits.at_least and most > self.limits.systemic_share * self.rows:
            told = f"{portion(most, self.rows, 'row')} refused"
            return f"{told} for one reason, limit {self.limits.systemic_share:.2%}"
        return None

    def _structural(self) -> str | None:
        damaged = sum(count for (reason, _), count in self.lines.items() if reason in STRUCTURAL)
        total, unit = self._total()
        if damaged >= self.limits.at_least and damaged > self.limits.structural_share * total:
            return f"{portion(damaged, total, unit)} damaged, limit {self.limits.structural_share:.2%}"
        return None

    def _headers(self) -> str | None:
        repeated = self.reasons["repeated_header", None]
        limit = self.limits.repeated_headers
        return f"the header is repeated {counted(repeated, 'time')}, limit {limit}" if repeated > limit else None

    def _message(self, verdict: str, worst: tuple[str, str | None] | None = None) -> str:
        most = self.lines.most_common(SHOWN_REASONS)
        counts = ", ".join(_reason(*which, self.reasons[which], lines) for which, lines in most)
        worst = worst or most[0][0]
        hint = f"; {HINTS[worst[0]]}" if worst[0] in HINTS else ""
        return f"{self.name}: {verdict} ({counts}), {self.first_places[worst]}; nothing is loaded{hint}"


def _place(part: str, line: int, height: int) -> str:
    lines = lines_from(line, height)
    return f"from {part}line {lines} on" if height == 1 else f"first on {part}lines {lines}"


def _reason(reason: str, column: str | None, count: int, lines: int) -> str:
    counts = f"{count:,}" if lines == count else f"{counted(count, 'record')} of {counted(lines, 'line')}"
    return f"{reason}{'' if column is None else f' in {column!r}'}: {counts}"
