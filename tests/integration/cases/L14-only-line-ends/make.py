"""40 MB of line ends: `python make.py` in a folder writes f.csv."""

from pathlib import Path

Path("f.csv").write_bytes(b"a,b\n" + b"\n" * 40_000_000)
