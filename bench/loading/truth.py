"""What a loader gave, held against what the generator knows: as numbers of equal rows.

A row is known by the hash of its values, so neither the order of rows nor a loader's own types make a difference.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from loading.loaders import NAMES
from loading.sales import BAD_FILE, BLOCK_ROWS, HEADER, Block, block

KINDS: dict[str, Any] = {"id": pl.Int64, "amount": pl.Decimal(12, 2), "qty": pl.Int64, "day": pl.Date}


def held_against_truth(tables: list[Any], told: set[int], path: str) -> dict[str, int]:
    """Return how many lines are bad, how many of them were told, how many wrong rows are in, and good ones lost
    silently.

    `told` are the numbers of the lines that the loader gave as bad.
    """
    truth = block(Path(path).name == BAD_FILE)
    repeats = (Path(path).stat().st_size - len(HEADER)) // len(truth.content)
    gave = np.concatenate([_hashes(_frame(table)) for table in tables])
    wrong, lost = _differences(gave, _hashes(_good(truth)), repeats)
    bad = {2 + number * BLOCK_ROWS + line for number in range(repeats) for line in truth.bad_lines}
    # What a loader gave up with a word about it is no silent loss.
    return {"bad": len(bad), "found": len(bad & told), "wrong": wrong, "lost": max(0, lost - len(told - bad))}


def _good(truth: Block) -> pl.DataFrame:
    texts = pl.DataFrame(truth.good, schema=list(NAMES), orient="row").with_columns(pl.all().replace("", None))
    # Undone here as RFC 4180 says, and by no reader of CSV.
    unquoted = pl.col("name").str.strip_chars('"').str.replace_all('""', '"')
    return texts.with_columns(unquoted, pl.col("day").str.to_date("%Y-%m-%d"))


def _frame(table: Any) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table) if hasattr(table, "num_rows") else table)


def _hashes(frame: pl.DataFrame) -> Any:
    floats = [pl.col(name).round(2) for name, kind in frame.schema.items() if kind == pl.Float64]
    typed = frame.with_columns(floats).select(pl.col(name).cast(KINDS.get(name, pl.String)) for name in NAMES)
    return typed.hash_rows().to_numpy()


def _differences(gave: Any, good: Any, repeats: int) -> tuple[int, int]:
    """Return how many rows are no good ones, or too many, and how many good ones are not there."""
    rows, counts = np.unique(gave, return_counts=True)
    expected = np.isin(rows, good) * repeats
    wrong, right = np.maximum(counts - expected, 0).sum(), np.minimum(counts, expected).sum()
    return int(wrong), int(len(good) * repeats - right)
