"""16,000 columns: `python make.py` in a folder writes f.csv."""

from pathlib import Path

COLUMNS = 16_000
header = ",".join(f"c{number}" for number in range(COLUMNS))
Path("f.csv").write_text("\n".join([header, *[",".join("x" * COLUMNS)] * 3, ""]))
