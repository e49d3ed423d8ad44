"""Columns of text as the bytes of all their texts, for the modules that read them with NumPy. Pure."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


def content_of(texts: pa.StringArray) -> tuple[Bytes, Numbers]:
    """Return the bytes of all texts, and the start of each with the end of the last; nothing is copied."""
    _, starts, content = texts.buffers()
    offsets = np.frombuffer(starts, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]] if content else np.zeros(0, np.uint8)
    return held, offsets - offsets[0]


def texts_of(content: Bytes, offsets: Numbers, like: pa.StringArray) -> pa.StringArray:
    """Return texts from their bytes and the start of each, null if those of another column are."""
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(content))]
    texts = pa.StringArray.from_buffers(len(offsets) - 1, *buffers[1:], buffers[0])
    return pc.if_else(like.is_valid(), texts, None) if like.null_count else texts


def holders(places: Numbers, offsets: Numbers) -> Numbers:
    """Return which of the texts hold the bytes at these places."""
    starts, ends = offsets[:-1], offsets[1:]
    # The common case, as with the points of amounts: exactly one in each text.
    if len(places) == len(starts) and (starts <= places).all() and (places < ends).all():
        return np.arange(len(places))
    return np.searchsorted(offsets, places, side="right") - 1


def flagged(places: Numbers, size: int) -> Flags:
    """Return flags of so many texts, set at these places."""
    are_flagged = np.zeros(size, bool)
    are_flagged[places] = True
    return are_flagged


def flags(booleans: pa.BooleanArray) -> Flags:
    """Return Arrow's booleans as NumPy's."""
    return np.asarray(booleans.to_numpy(zero_copy_only=False), bool)
