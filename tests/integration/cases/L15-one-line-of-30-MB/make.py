"""A line of 30 MB: `python make.py` in a folder writes f.csv."""

from pathlib import Path

Path("f.csv").write_bytes(b"a,b\n" + b"1," * 15_000_000 + b"\n")
