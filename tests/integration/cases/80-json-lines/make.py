"""The day's events, packed: a clone would not show a change of them."""

import gzip
from pathlib import Path

LINES = [
    '{"id": 9007199254740993, "day": "2024-03-05", "store": "AA", "amount": 9007199254740993.25, "tags": ["x"]}',
    '{"amount": 0.75, "store": null, "day": "2024-03-05", "id": 2}',
    "",
    '{"id": 3, "day": "2024-03-05", "store": "AA", "amount": 1, "amount": 2}',
    '{"id": 4, "day": "2024-03-05", "store": "AA", "amount": NaN}',
    '{"id": 5, "day": "2024-03-05", "store": "AA", "amount": 1e2}',
    '{"id": 6, "day": "2024-03-05", "amount": 2.50}',
]
Path("f_2024-03-05.jsonl.gz").write_bytes(gzip.compress(("\n".join(LINES) + "\n").encode(), mtime=0))
