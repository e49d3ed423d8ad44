"""Arrow's threads hold nothing of Python's: one that frees it while the process ends aborts the process.

What was seen: a command ended with "terminate called without an active exception", exit code 134, after its work. The
stack was that of Arrow's I/O thread: it read a Parquet file ahead, dropped the bytes of Python's file last, asked for
Python's lock, and was ended, as Python was finishing, in a destructor that may not be left that way.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from daybook.loader.cut import in_arrows_memory
from deployment.home import REPOSITORY

COUNTED = """
import os, sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from daybook.storage.tables import read_parquet, write_parquet

def threads(): return len(os.listdir("/proc/self/task"))

file = Path(sys.argv[1])
with file.open("wb") as stream:
    write_parquet(pa.table({"number": range(int(sys.argv[2])), "text": ["x"] * int(sys.argv[2])}), stream)
before = threads()
for columns in (None, ["number"]):
    with file.open("rb") as stream:
        assert read_parquet(stream, columns).num_rows == int(sys.argv[2])
ours = threads() - before
with file.open("rb") as stream:
    pq.ParquetFile(stream).read()
print(ours, threads() - before)
"""


@pytest.mark.parametrize("rows", [3, 1_000_000])
def test_reading_a_table_starts_no_thread_of_arrows(tmp_path: Path, rows: int) -> None:
    words = [sys.executable, "-c", COUNTED, str(tmp_path / "table.parquet"), str(rows)]
    out = subprocess.run(words, cwd=REPOSITORY / "include", capture_output=True, text=True, check=True).stdout
    ours, of_arrows_defaults = map(int, out.split())
    assert ours == 0
    assert of_arrows_defaults > 0


def test_arrow_reads_csv_from_memory_of_its_own() -> None:
    data = bytearray(b"1,2\n")
    copy = in_arrows_memory(b"\xef\xbb\xbf", data)
    # Refused while anything refers to these bytes.
    data.extend(b"3,4\n")
    assert copy.to_pybytes() == b"\xef\xbb\xbf1,2\n"


def test_arrow_reads_files_in_these_places_only() -> None:
    reads = re.compile(r"\b(?:pq|parquet|pa_csv|csv|dataset)\.(ParquetFile|read_\w+|open_csv|dataset|ParquetDataset)\(")
    product = sorted((REPOSITORY / "include").rglob("*.py"))
    found = {(file.stem, name) for file in product for name in reads.findall(file.read_text())}
    assert found == {
        ("tables", "ParquetFile"),
        ("tables", "read_row_group"),
        ("parquet_rows", "ParquetFile"),
        ("cut", "read_csv"),
    }
