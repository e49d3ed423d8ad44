"""The fields of one column of a sample, counted."""

from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from commands.spellings import NOTHING
from daybook.loader.values import TRIMMED


class Texts(NamedTuple):
    """What a column holds: how often each text stands in it, and how many fields are empty.

    counts: without the empty fields; "" is an empty field in quotes.
    """

    header: str
    rows: int
    missing: int
    counts: Counter[str]

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the usual spellings of nothing that stand in it, in their order of use."""
        return tuple(text for text in self.counts if text in NOTHING)

    @property
    def values(self) -> list[str]:
        """Return the other texts, each once."""
        return [text for text in self.counts if text not in NOTHING]

    @property
    def nothing(self) -> int:
        """Return how many fields are empty or a spelling of nothing."""
        return self.missing + sum(self.counts[token] for token in self.tokens)


def texts_of(header: str, fields: pa.ChunkedArray, *, is_trimmed: bool) -> Texts:
    """Count the fields of a column. is_trimmed: blanks around a text are no part of it."""
    fields = pc.utf8_trim(fields, characters=TRIMMED) if is_trimmed else fields
    counts: Counter[str] = Counter()
    for pair in pc.value_counts(fields.combine_chunks()).to_pylist():
        if pair["values"] or (pair["values"] == "" and not is_trimmed):
            counts[pair["values"]] = pair["counts"]
    return Texts(header, len(fields), len(fields) - counts.total(), counts)


def has_blanks(fields: pa.ChunkedArray) -> bool:
    """Return whether a field has blanks around its text."""
    return bool(pc.any(pc.not_equal(pc.utf8_trim(fields, characters=TRIMMED), fields)).as_py())
