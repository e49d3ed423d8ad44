"""`plan` and `trace` of a day that is delivered in parts: each part is looked at, and named (C71)."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadData
from daybook.spec import File

from .conftest import Days

DAY = "2013-01-02"
CUTS = (0, 300, 943)


@pytest.fixture
def parts(days: Days) -> Days:
    """One day of flights, in two parts of its own, that a manifest names."""
    header, *rows = days.file(DAY).read_bytes().splitlines(keepends=True)
    for number in (1, 2):
        path(days, number).write_bytes(b"".join([header, *rows[CUTS[number - 1] : CUTS[number]]]))
    manifest(days).write_text("part_1.csv\npart_2.csv\n")
    declare(days, manifest="{day}.manifest")
    return days


def declare(days: Days, **words: Any) -> None:
    """Have the pipeline find its file by these words."""
    file, words = days.pipeline.files[0], {**words}
    usual = {key: getattr(file, key) for key in File.model_fields if key not in ("path", "parts", "manifest")}
    placed = words | {key: f"{days.files.name}/{words[key]}" for key in ("path", "manifest") if key in words}
    days.change(files=(File(**(usual | placed)),))


def path(days: Days, number: int) -> Path:
    """Return where a part lies."""
    return days.files / f"part_{number}.csv"


def manifest(days: Days) -> Path:
    """Return where the manifest lies."""
    return days.files / f"{DAY}.manifest"


def planned(days: Days) -> str:
    """Return what the plan says of the day."""
    return days.planned("--from", DAY, "--to", DAY)[DAY]


def later(file: Path) -> None:
    """Have a file be written in a later second."""
    seconds = file.stat().st_mtime + 2
    os.utime(file, (seconds, seconds))


def test_C71_a_plan_names_the_part_that_has_changed(parts: Days) -> None:
    assert planned(parts) == "run: never done"
    parts.run(DAY)
    assert planned(parts) == "skip: nothing changed"
    later(path(parts, 2))
    assert planned(parts) == "run: input changed: file flights, part 2"


def test_a_plan_names_the_manifest_that_has_changed(parts: Days) -> None:
    parts.run(DAY)
    manifest(parts).write_text("part_1.csv\n")
    assert planned(parts) == "run: input changed: file flights, its manifest"


def test_a_plan_names_what_is_missing(parts: Days) -> None:
    folder = parts.files.name
    path(parts, 2).unlink()
    assert planned(parts) == f"blocked: file not there: {folder}/{DAY}.manifest, part 2"
    manifest(parts).unlink()
    assert planned(parts) == f"blocked: file not there: {folder}/{DAY}.manifest"
    declare(parts, path="part_{part}.csv", parts=3)
    assert planned(parts) == f"blocked: file not there: {folder}/part_2.csv, {folder}/part_3.csv"


def test_a_day_that_comes_in_parts_from_now_on_is_done_again(parts: Days) -> None:
    declare(parts, path="flights_{day}.csv")
    parts.run(DAY)
    declare(parts, path="part_{part}.csv", parts=2)
    assert planned(parts) == "run: input changed: file flights, part 1"
    parts.run(DAY)
    declare(parts, manifest="{day}.manifest")
    assert planned(parts) == "run: input changed: file flights, its manifest"


def test_C72_a_manifest_that_is_none_lets_the_run_say_so_and_the_plan_go_on(parts: Days) -> None:
    manifest(parts).write_text("../../x\n")
    assert planned(parts) == "run: never done"
    with pytest.raises(BadData, match=r"line 1: '../../x' is not the name of a file"):
        parts.run(DAY)
    assert planned(parts) == "run: failed before: extract_files, BadData"


def test_C71_the_traced_lines_are_those_of_each_part(parts: Days) -> None:
    parts.run(DAY)
    words = (DAY, "by_origin", "flights", "origin=JFK")
    traced = parts.json("trace", *words)
    assert traced["is_equal"]
    assert [part["part"] for part in traced["parts"]] == ["part_1.csv", "part_2.csv"]
    for number, part in enumerate(traced["parts"], 1):
        lines = path(parts, number).read_text().splitlines()
        assert part["lines"] == [at for at, line in enumerate(lines, 1) if line.split(",")[12] == "JFK"]
        assert part["file"].endswith(f"/extract_files/flights.{number}.csv")
    assert sum(len(part["lines"]) for part in traced["parts"]) == traced["published"]


def test_a_trace_tells_the_parts_by_their_names(parts: Days) -> None:
    parts.run(DAY)
    code, printed = parts.command("trace", DAY, "by_airline", "flights", "carrier=HA")
    assert code == 0
    folder = parts.files.name
    assert re.search(rf"^flights.2 +ftp: {folder}/part_2.csv +[0-9a-f]{{64}}$", printed, re.MULTILINE)
    assert re.search(rf"^flights.manifest +ftp: {folder}/{DAY}.manifest +[0-9a-f]{{64}}$", printed, re.MULTILINE)
    assert "/extract_files/flights.1.csv (part_1.csv), 1 in all, lines: " in printed
    assert "/extract_files/flights.2.csv (part_2.csv), 0 in all, lines: \n" in printed


def test_a_plan_sees_a_file_that_a_wildcard_finds_later_and_one_that_is_gone(parts: Days) -> None:
    declare(parts, path="part_*.csv", pick="all")
    parts.run(DAY)
    assert planned(parts) == "skip: nothing changed"
    header, *rows = parts.file(DAY).read_bytes().splitlines(keepends=True)
    path(parts, 2).write_bytes(b"".join([header, *rows[300:900]]))
    (parts.files / "part_late.csv").write_bytes(b"".join([header, *rows[900:]]))
    later(path(parts, 2))
    parts.run(DAY)
    assert planned(parts) == "skip: nothing changed"
    (parts.files / "part_late.csv").unlink()
    assert planned(parts) == "run: input changed: file flights, part 3 is gone"
    for number in (1, 2):
        path(parts, number).unlink()
    assert planned(parts) == f"blocked: file not there: {parts.files.name}/part_*.csv"


def test_a_row_knows_its_file_that_a_wildcard_found(parts: Days) -> None:
    declare(parts, path="part_*.csv", pick="all")
    lines = path(parts, 2).read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace("2013", "soon", 1)
    path(parts, 2).write_text("".join(lines))
    parts.run(DAY)
    assert re.search(r"load +flights, part_2.csv +year +not_an_integer +1 +5\n", parts.command("refused", DAY)[1])
    (row,) = parts.json("refused", DAY)["refused"]
    assert (row["file"], row["line_in_file"]) == ("part_2.csv", 5)
    traced = parts.json("trace", DAY, "by_origin", "flights", "origin=JFK")
    assert [part["part"] for part in traced["parts"]] == ["part_1.csv", "part_2.csv"]


def test_the_only_file_that_a_wildcard_finds_is_named_as_it_lies_there(parts: Days) -> None:
    declare(parts, path="flights_*{day:%m-%d}.csv", pick="only")
    lines = parts.file(DAY).read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace("2013", "soon", 1)
    parts.file(DAY).write_text("".join(lines))
    parts.run(DAY)
    assert f"flights_{DAY}.csv" in parts.command("trace", DAY, "by_origin", "flights", "origin=JFK")[1]
    assert parts.json("trace", DAY, "by_origin", "flights", "origin=JFK")["is_equal"]
    later(parts.file(DAY))
    assert planned(parts) == "run: input changed: file flights"
