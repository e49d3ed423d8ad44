"""Texts of a whole column changed by characters (code points); each different text is changed once. Pure."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc


def by_text(change: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    """Return how a column is changed by a function of one text.

    Python's own, because it follows Unicode's full rules for letters, by which "ß" becomes "SS"; Arrow's do not.
    """

    def changed(texts: pa.Array) -> pa.Array:
        different = texts.dictionary_encode()
        return pa.array(map(change, different.dictionary.to_pylist()), pa.string()).take(different.indices)

    return changed


def sliced(texts: pa.Array, start: int, length: int | None) -> pa.Array:
    """Return the part of each text from a character on; a negative one counts from the end, at most to the start."""
    if length is None:
        return pc.utf8_slice_codeunits(texts, start)
    if start >= 0:
        return pc.utf8_slice_codeunits(texts, start, start + length)
    return pc.utf8_slice_codeunits(pc.utf8_slice_codeunits(texts, start), 0, length)
