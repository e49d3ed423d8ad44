"""Rows come out in the order of their lines, however the threads of an engine left them."""

from random import Random

import pyarrow as pa
import pytest

from daybook.rules.frames import ordered


def in_pieces(random: Random) -> list[int | None]:
    """Return lines as they may come: in a few ascending pieces, all mixed up, some of them twice, or one missing."""
    size = random.randrange(1, 12)
    lines = random.sample(range(20), size)
    if random.random() < 0.6:
        cut = random.randrange(size)
        lines = sorted(lines[cut:]) + sorted(lines[:cut])
    if random.random() < 0.2:
        lines += lines[: size // 2]
    return [None, *lines] if random.random() < 0.1 else [*lines]


@pytest.mark.parametrize("seed", range(20))
def test_rows_in_pieces_come_out_sorted_by_line(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        lines = in_pieces(random)
        found = ordered(pa.table({"line": pa.array(lines, pa.int64()), "of": lines}), ["line"])
        expected = sorted(lines, key=lambda line: (line is None, line or 0))
        assert found["line"].to_pylist() == found["of"].to_pylist() == expected
