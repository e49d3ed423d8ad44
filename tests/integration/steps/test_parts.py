"""A day that is delivered in parts: its numbers, its files, and what is said of a part that is missing or bad."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from daybook.errors import BadData
from daybook.ledger.receipt import STEPS
from daybook.loader.line_numbers import own_line, part_of
from daybook.run.day_run import DayRun
from daybook.spec import File, Pipeline
from tests.support.servers import Servers, published_files, run_steps

DAY = "2013-01-05"
CUTS = (0, 200, 500, 720)
NUMBERS = "select * from {}.{} order by 1, 2"


@dataclass
class Parts:
    """The flights of a day in three parts on the server, and runs of the day over them."""

    servers: Servers
    pipeline: Pipeline
    folder: Path
    lines: list[bytes]

    def part(self, number: int) -> list[bytes]:
        """Return the lines of a part as they were cut: the header, and its rows."""
        return [self.lines[0], *self.lines[1 + CUTS[number - 1] : 1 + CUTS[number]]]

    def path(self, number: int) -> Path:
        """Return where a part lies on the server."""
        return self.folder / f"day_{number}of3.csv"

    def write(self, number: int, old: bytes = b"", new: bytes = b"", line: int = 2) -> None:
        """Write a part, in a later second than before; in the given line `old` is `new`."""
        lines = self.part(number)
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)
        before = self.path(number).stat().st_mtime if self.path(number).exists() else 1_000_000_000
        self.path(number).write_bytes(b"".join(lines))
        os.utime(self.path(number), (before + 2, before + 2))

    def by(self, **words: Any) -> Pipeline:
        """Return the pipeline over the parts, found by these words of their spec."""
        file, name = self.pipeline.files[0], self.pipeline.name
        as_one = {"path", "parts", "manifest", "marker", "checksum"}
        usual = {key: getattr(file, key) for key in File.model_fields if key not in as_one}
        placed = {key: f"{name}/{word}" if isinstance(word, str) else word for key, word in words.items()}
        return self.pipeline.model_copy(update={"files": (File(**usual, **placed),)})

    def run(self, pipeline: Pipeline, run: str = "run_1", until: str = "deploy") -> DayRun:
        """Run the steps on the day."""
        return run_steps(self.servers.work(pipeline, DAY, run), self.servers, until)

    def refusal(self, pipeline: Pipeline, until: str = "load") -> str:
        """Return the message of BadData that a run over the parts ends with."""
        with pytest.raises(BadData) as error:
            self.run(pipeline, "refused", until)
        return str(error.value)


DECLARED = {"path": "day_{part}of{parts}.csv", "parts": 3}


@pytest.fixture
def parts(pipeline: Pipeline, servers: Servers) -> Parts:
    """Three parts of a day."""
    folder = servers.ftp.root / pipeline.name
    folder.mkdir()
    whole = (servers.ftp.root / "flights" / f"flights_{DAY}.csv").read_bytes()
    made = Parts(servers, pipeline, folder, whole.splitlines(keepends=True))
    for number in (1, 2, 3):
        made.write(number)
    return made


def published(work: DayRun) -> dict[str, bytes]:
    """Return the published summaries of the day."""
    folder = published_files(work)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".html"}


def refused(work: DayRun, step: str) -> list[dict[str, Any]]:
    """Return the refused rows of a step."""
    return pq.read_table(Path(work.folder.path) / step / "refused.parquet").to_pylist()  # type: ignore[no-any-return]


def test_C71_a_day_in_three_parts_is_the_day_in_one(parts: Parts) -> None:
    one = parts.run(parts.pipeline, "one")
    three = parts.run(parts.by(**DECLARED), "three")
    assert three.receipt("deploy").outcome == "unchanged"
    assert three.receipt("load").rows["flights"] == one.receipt("load").rows["flights"]
    clean = [pq.read_table(Path(work.folder.path) / "clean" / "flights.parquet") for work in (one, three)]
    assert clean[0].drop_columns(["line"]) == clean[1].drop_columns(["line"])


def test_each_part_is_kept_with_its_hash_and_its_time(parts: Parts) -> None:
    work = parts.run(parts.by(**DECLARED), until="extract_files")
    folder, receipt = work.folder / "extract_files", work.receipt("extract_files")
    assert folder.names() == ["flights.1.csv", "flights.2.csv", "flights.3.csv", "receipt.json"]
    for number in (1, 2, 3):
        content = parts.path(number).read_bytes()
        assert receipt.outputs[f"flights.{number}.csv"].sha256 == hashlib.sha256(content).hexdigest()
        assert receipt.origins[f"flights.{number}"].place == f"ftp: {parts.pipeline.name}/day_{number}of3.csv"
        assert len(receipt.origins[f"flights.{number}"].modified_at) == 14
    assert receipt.origins["flights"].place == f"ftp: {parts.pipeline.name}/day_*of3.csv, 3 parts"


def test_C71_a_line_is_unique_in_the_source_and_is_found_in_its_part(parts: Parts) -> None:
    work = parts.run(parts.by(**DECLARED), until="load")
    rows = pq.read_table(Path(work.folder.path) / "load" / "flights.parquet")
    lines = rows["line"].to_pylist()
    assert len(set(lines)) == len(lines) == 720
    numbers = zip(lines, rows["flight"].to_pylist(), strict=True)
    assert all(_flight(parts.part(part_of(line))[own_line(line) - 1]) == flight for line, flight in numbers)


def _flight(line: bytes) -> int:
    return int(line.split(b",")[10])


def test_refused_rows_of_every_step_say_their_part_its_line_and_its_bytes(parts: Parts) -> None:
    parts.write(1, b"2013,", b"x2013,", line=3)
    parts.write(2, b"2013,1,5", b"2013,1,6", line=7)
    parts.write(3, b",UA,", b",??,", line=_line_of(parts.part(3), b",UA,"))
    work = parts.run(parts.by(**DECLARED))
    found = {step: refused(work, step)[0] for step in ("load", "clean", "index")}
    last = _line_of(parts.part(3), b",UA,")
    assert {step: (part_of(row["line"]), own_line(row["line"])) for step, row in found.items()} == {
        "load": (1, 3),
        "clean": (2, 7),
        "index": (3, last),
    }
    assert found["load"]["detail"] == "day_1of3.csv, line 3: 'x2013' is not an integer"
    assert (found["clean"]["detail"], found["index"]["detail"]) == (
        "day_2of3.csv, line 7",
        f"day_3of3.csv, line {last:,}",
    )
    for row in found.values():
        raw = parts.path(part_of(row["line"])).read_bytes().splitlines()
        assert row["raw"] == raw[own_line(row["line"]) - 1]


def _line_of(lines: list[bytes], word: bytes) -> int:
    return next(number for number, line in zip(count(1), lines, strict=False) if word in line)


def test_a_missing_part_is_late_and_named_and_nothing_is_kept_of_the_others(parts: Parts) -> None:
    parts.path(2).unlink()
    said = parts.refusal(parts.by(**DECLARED))
    assert said.startswith(f"late: ftp: {parts.pipeline.name}/day_*of3.csv: part 2 of 3 missing (day_2of3.csv), and ")
    assert (parts.servers.work(parts.pipeline, DAY, "refused").folder / "extract_files").names() == ["looks.json"]


def test_a_part_that_is_bad_is_named_and_the_published_day_stays(parts: Parts) -> None:
    before = published(parts.run(parts.by(**DECLARED)))
    parts.write(2, b"dep_delay", b"departure_delay", line=1)
    assert parts.refusal(parts.by(**DECLARED)).startswith("day_2of3.csv: missing column 'dep_delay'")
    assert published(parts.servers.work(parts.pipeline, DAY, "refused")) == before


def test_C71_a_part_that_changed_is_done_again_and_moves_no_line_of_another(parts: Parts) -> None:
    first = parts.run(parts.by(**DECLARED), "first")
    again = parts.run(parts.by(**DECLARED), "again")
    assert [step for step in STEPS if again.receipt(step).reused_from] == list(STEPS[2:7])
    parts.path(1).write_bytes(b"".join([*parts.part(1), parts.part(1)[-1]]))
    changed = parts.run(parts.by(**DECLARED), "changed")
    assert not any(changed.receipt(step).reused_from for step in ("load", "clean"))
    was, now = (_lines(work) for work in (first, changed))
    assert len(now) == len(was) + 1
    assert [line for line in was if part_of(line) > 1] == [line for line in now if part_of(line) > 1]


def _lines(work: DayRun) -> list[int]:
    rows = pq.read_table(Path(work.folder.path) / "load" / "flights.parquet")
    return rows["line"].to_pylist()  # type: ignore[no-any-return]


# Checksums and manifests.


@pytest.fixture
def sums(parts: Parts) -> Callable[[], str]:
    """Return what sha256sum writes of the parts, in the order of their names."""

    def do() -> str:
        hashes = ((hashlib.sha256(parts.path(n).read_bytes()).hexdigest(), parts.path(n).name) for n in (1, 2, 3))
        return "".join(f"{sha256}  {name}\r\n" for sha256, name in hashes)

    return do


def test_receipt_and_report_say_by_what_a_file_was_checked(parts: Parts, sums: Callable[[], str]) -> None:
    (parts.folder / "day.manifest").write_text(sums())
    work = parts.run(parts.by(manifest="day.manifest"))
    receipt, manifest = work.receipt("extract_files"), f"{parts.pipeline.name}/day.manifest"
    assert [receipt.origins[f"flights.{number}"].checked_by for number in (1, 2, 3)] == [manifest] * 3
    assert (Path(work.folder.path) / "extract_files" / "flights.manifest").read_bytes() == sums().encode()
    report = (published_files(work) / "report.html").read_text()
    for number in (1, 2, 3):
        assert f"<td>flights, part {number} of 3</td><td>ftp: {parts.pipeline.name}/day_{number}of3.csv<br>" in report
    assert report.count(f"<br>checked, as {manifest} says</td>") == 3


def test_a_checksum_of_a_single_file_stands_in_receipt_and_report(parts: Parts) -> None:
    sha256 = hashlib.sha256(parts.path(1).read_bytes()).hexdigest()
    (parts.folder / "day_1of3.csv.sha256").write_text(f"\ufeff{sha256.upper()} *day_1of3.csv\r\n")
    work = parts.run(parts.by(path="day_1of3.csv", checksum="day_1of3.csv.sha256"))
    by = f"{parts.pipeline.name}/day_1of3.csv.sha256"
    assert work.receipt("extract_files").origins["flights"].checked_by == by
    assert f"<br>checked, as {by} says</td>" in (published_files(work) / "report.html").read_text()


def test_C71_a_part_with_a_bad_checksum_is_refused_and_the_published_day_stays(
    parts: Parts, sums: Callable[[], str]
) -> None:
    by_manifest = parts.by(manifest="day.manifest")
    (parts.folder / "day.manifest").write_text(sums())
    before = published(parts.run(by_manifest))
    parts.write(2, b",1,5,", b",1,6,")
    said = parts.refusal(by_manifest)
    assert said.startswith(f"ftp: {parts.pipeline.name}/day_2of3.csv: sha256 ")
    assert "found, twice; the copies were thrown away, nothing was published; ask the sender" in said
    work = parts.servers.work(by_manifest, DAY, "refused")
    assert (work.folder / "extract_files").names() == []
    assert published(work) == before


def test_C72_a_manifest_that_names_a_path_out_of_its_folder_is_refused(parts: Parts) -> None:
    (parts.servers.ftp.root / "x").write_text("not for us")
    (parts.folder / "day.manifest").write_text("day_1of3.csv\n../../x\n")
    said = parts.refusal(parts.by(manifest="day.manifest"))
    assert f"{parts.pipeline.name}/day.manifest, line 2: '../../x' is not the name of a file beside it" in said
    assert (parts.servers.work(parts.pipeline, DAY, "refused").folder / "extract_files").names() == []


def test_other_names_in_the_manifest_load_the_rows_anew(parts: Parts) -> None:
    by_manifest = parts.by(manifest="day.manifest")
    (parts.folder / "day.manifest").write_text("day_1of3.csv\nday_2of3.csv\n")
    parts.run(by_manifest, "first")
    parts.path(2).rename(parts.folder / "second.csv")
    (parts.folder / "day.manifest").write_text("day_1of3.csv\nsecond.csv\n")
    again = parts.run(by_manifest, "again")
    assert again.receipt("load").reused_from is None
    assert again.receipt("deploy").outcome == "unchanged"


def test_a_source_in_parts_has_one_hash_that_every_part_changes(parts: Parts) -> None:
    name = parts.pipeline.name
    parts.run(parts.by(**DECLARED), "first")
    parts.lines.pop()
    parts.write(3)
    parts.run(parts.by(**DECLARED), "second")
    assert parts.servers.rows(
        "select count(distinct facts_sha256) from daybook.ledger where pipeline = %s", name, role="warehouse_owner"
    ) == [(2,)]


def test_xcom_and_receipts_hold_no_value_of_a_row(parts: Parts) -> None:
    work = parts.run(parts.by(**DECLARED), until="load")
    counts = json.dumps([work.receipt(step).counts() for step in ("extract_files", "load")])
    tails = {line.split(b",")[11].decode() for line in parts.part(1)[1:]} - {"NA"}
    assert len(tails) > 100
    assert not any(tail in counts for tail in tails)
