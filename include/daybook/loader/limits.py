"""Counts refused rows, and judges whether a file with so many is still the one that was agreed.

Called by load with the refused rows of each block, and at the end. Pure; it raises BadData with counts, never a value.
"""

from collections import Counter

import pyarrow as pa

from daybook.errors import BadData
from daybook.spec import Limits

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
    }
)
# The usual cause if a reason is everywhere.
HINTS = {
    "wrong_encoding": "the file may be cp1252 or Latin-1: declare the encoding if that is meant",
    "too_many_fields": "the delimiter may stand in a text without quotes, or at the end of each row",
    "too_few_fields": "the delimiter may change, or rows may be broken in two",
    "lone_carriage_return": "the line ends may be mixed",
    "text_after_closing_quote": 'quotes may be escaped by a backslash, where "" was agreed',
    "quote_in_unquoted_field": "the quotes of fields may be missing",
    "not_an_integer": "spellings of nothing may be undeclared, or the column may hold decimals",
    "not_a_decimal": "decimal commas, thousands separators, signs of currency or undeclared spellings of nothing",
    "not_a_date": "the dates' format may have changed",
    "not_a_timestamp": "the timestamps' format may have changed",
    "not_a_boolean": "the spellings of yes and no may have changed",
    "repeated_header": "several files may be joined in one",
}
SHOWN_REASONS = 10


class Tally:
    """Counts rows and reasons, and refuses a file, or all files of a source together, if too much is wrong."""

    def __init__(self, limits: Limits, name: str) -> None:
        self.limits = limits
        self.name = name
        self.kept = 0
        self.reasons: Counter[tuple[str, str | None]] = Counter()
        self.first_places: dict[tuple[str, str | None], str] = {}

    @property
    def rows(self) -> int:
        """Return the number of rows so far."""
        return self.kept + self.reasons.total()

    def add(self, kept: int, refused: pa.Table, file: str) -> None:
        """Count a block of a file. Raises BadData if more rows are refused than may be stored."""
        place = "line" if file == self.name else f"{file}, line"
        self.kept += kept
        for line, column, reason in zip(
            *(refused[name].to_pylist() for name in ("line", "column", "reason")), strict=True
        ):
            self.reasons[reason, column] += 1
            self.first_places.setdefault((reason, column), f"{place} {line:,}")
        if self.reasons.total() > self.limits.stored_rows:
            raise BadData(
                self._message(f"more than {self.limits.stored_rows:,} rows are refused, and no more are stored")
            )

    def judge(self) -> None:
        """Judge the whole file by its limits. Raises BadData with the counts by reason."""
        verdict = next(filter(None, (self._many(), self._systemic(), self._structural(), self._headers())), None)
        if verdict:
            raise BadData(self._message(verdict))

    def _many(self) -> str | None:
        refused, rows = self.reasons.total(), self.rows
        limit = max(self.limits.refused_rows, int(self.limits.refused_share * rows))
        if refused > limit:
            return f"{refused:,} of {rows:,} rows are refused, limit {limit:,}"
        return f"{refused:,} of {rows:,} rows are refused, more than half" if refused > self.kept else None

    def _systemic(self) -> str | None:
        # If one column breaks the contract, the rows that happen to fit cannot be trusted either.
        most = max(self.reasons.values(), default=0)
        if most >= self.limits.at_least and most > self.limits.systemic_share * self.rows:
            return f"{most:,} of {self.rows:,} rows are refused for one reason, limit {self.limits.systemic_share:.2%}"
        return None

    def _structural(self) -> str | None:
        damaged = sum(count for (reason, _), count in self.reasons.items() if reason in STRUCTURAL)
        if damaged >= self.limits.at_least and damaged > self.limits.structural_share * self.rows:
            return f"{damaged:,} of {self.rows:,} rows are damaged, limit {self.limits.structural_share:.2%}"
        return None

    def _headers(self) -> str | None:
        repeated = self.reasons["repeated_header", None]
        return f"the header is repeated {repeated} times" if repeated > 1 else None

    def _message(self, verdict: str) -> str:
        most = self.reasons.most_common(SHOWN_REASONS)
        counts = ", ".join(_reason(*which, count) for which, count in most)
        (worst, _) = most[0]
        hint = f"; {HINTS[worst[0]]}" if worst[0] in HINTS else ""
        return f"{self.name}: {verdict} ({counts}), from {self.first_places[worst]} on; nothing is loaded{hint}"


def _reason(reason: str, column: str | None, count: int) -> str:
    return f"{reason} in {column!r}: {count:,}" if column is not None else f"{reason}: {count:,}"
