"""Rows that were refused, mended and replayed, on real servers: what the commands say, and what the steps then do."""

import csv
import gzip
import io
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from daybook import steps
from daybook.errors import BadData, Implausible
from daybook.ledger import runs
from daybook.ledger.receipt import STEPS, Lines, Mended, Rows
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.spec import Form, Plausible
from tests.support.servers import published_files, run_steps
from tests.support.workbooks import workbook

from .conftest import Days

DAY = "2013-01-01"
WHY = "the hour was typed twice"
# Line 2 is refused by load, 4 by clean (of another day), 6 by index (an airline that is not known).
BROKEN = {2: ("517,515,", "five,515,"), 4: ("2013,1,1,", "2013,1,2,"), 6: (",DL,", ",ZZ,")}

Mend = Callable[[dict[str, str]], str]


def lines_of(days: Days) -> list[bytes]:
    """Return the lines of the day's file, the header first."""
    return days.file(DAY).read_bytes().splitlines(keepends=True)


def deliver(days: Days, content: bytes) -> None:
    """Let the supplier deliver another file of the day, two seconds later, which is what servers tell apart."""
    file = days.file(DAY)
    later = file.stat().st_mtime + 2
    file.write_bytes(content)
    os.utime(file, (later, later))


def break_lines(days: Days, changes: dict[int, tuple[str, str]] = BROKEN) -> None:
    """Change lines of the day's file: number, and what becomes what."""
    lines = lines_of(days)
    for number, (old, new) in changes.items():
        assert old.encode() in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old.encode(), new.encode(), 1)
    deliver(days, b"".join(lines))


@pytest.fixture
def broken(days: Days) -> Days:
    """A day that was published without the three rows that are broken."""
    break_lines(days)
    days.run(DAY)
    return days


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the refused rows are written to."""
    return tmp_path / "refused.csv"


def right(row: dict[str, str]) -> str:
    """Mend a row as it was before it was broken."""
    new, old = BROKEN.get(int(row["line"]), ("", ""))
    return row["raw"].replace(old, new, 1)


def fill(file: Path, mend: Mend = right, lines: tuple[int, ...] = (2, 4, 6)) -> Path:
    """Fill the column `mended` for some lines, as a person does."""
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    for row in rows:
        row["mended"] = mend(row) if int(row["line"]) in lines else row["mended"]
    with file.open("w", newline="", encoding="utf-8") as saved:
        writer = csv.DictWriter(saved, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def replay(days: Days, file: Path, *words: str, why: str = WHY) -> tuple[int, str]:
    """Replay a file, as ann."""
    return days.command("replay", DAY, str(file), "--why", why, "--who", "ann", *words)


def written(days: Days, file: Path) -> Path:
    """Have the refused rows of the day written."""
    code, printed = days.command("refused", DAY, "--out", str(file))
    assert code == 0, printed
    return file


def mended(days: Days, file: Path) -> DayRun:
    """Mend all rows that were refused, and run the day again."""
    code, printed = replay(days, fill(written(days, file)))
    assert code == 0, printed
    return days.run(DAY)


def published(days: Days) -> int:
    """Return how many flights of the day readers see."""
    return int(days.servers.rows(f"select flights from {days.pipeline.name}.by_day where day = '{DAY}'")[0][0])


def kept_mends(days: Days) -> dict[str, str]:
    """Return all files of mends there are, by their path below the data folder."""
    files = (days.servers.data / "mends").rglob("*")
    return {str(file.relative_to(days.servers.data)): file.read_text() for file in files if file.is_file()}


def test_refused_counts_the_rows_of_each_step_and_shows_no_value(broken: Days) -> None:
    code, printed = broken.command("refused", DAY)
    assert code == 0
    first, header, *rows = printed.splitlines()
    assert first == f"{broken.pipeline.name} {DAY}: run run_1, deployed (published); refused rows: 3; dropped rows: 0"
    assert header.split() == ["step", "source", "column", "reason", "rows", "lines"]
    assert [" ".join(row.split()) for row in rows] == [
        "load flights dep_time not_an_integer 1 2",
        "clean flights other_day 1 4",
        "index flights carrier unknown_in_airlines 1 6",
    ]
    assert "five" not in printed
    told = broken.json("refused", DAY)
    assert [row["line"] for row in told["refused"]] == [2, 4, 6]
    assert "five" not in json.dumps(told)


def test_out_writes_the_rows_of_every_step_whole_for_the_owner_only(broken: Days, file: Path) -> None:
    rows = csv.DictReader(written(broken, file).read_text(encoding="utf-8-sig").splitlines())
    raw = lines_of(broken)
    assert {int(row["line"]): row["raw"] for row in rows} == {n: raw[n - 1].decode().rstrip() for n in BROKEN}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_mended_rows_are_published_counted_and_told(broken: Days, file: Path) -> None:
    assert published(broken) == 839
    work = mended(broken, file)
    assert published(broken) == 842
    loaded = work.receipt("load")
    assert loaded.rows["flights"] == Rows(read=842, kept=842, lines=Lines(read=842, kept=842, refused=0, blank=0))
    assert loaded.mended == (Mended(who="ann", why=WHY, rows={"flights": 3}),)
    assert f"<p>3 rows mended by ann: {WHY} (flights 3).</p>" in (published_files(work) / "report.html").read_text()
    decided = "select what, who, why, found from daybook.decision where pipeline = %s"
    rows = broken.servers.rows(decided, broken.pipeline.name, role="warehouse_owner")
    assert rows == [("mend", "ann", WHY, "flights 3")]
    assert f"mend: run {work.receipt('save').run_id}, by ann: {WHY} (flights 3)" in broken.command("why", DAY)[1]
    assert broken.command("refused", DAY)[1].splitlines()[1:] == [f"3 rows mended by ann: {WHY} (flights 3)"]


def test_the_published_numbers_are_those_of_the_whole_file(broken: Days, file: Path) -> None:
    mended(broken, file)
    summaries = {name: seen(broken, name) for name in ("by_airline", "by_origin", "by_day")}
    deliver(broken, (broken.servers.ftp.root / "flights" / f"flights_{DAY}.csv").read_bytes())
    broken.run(DAY)
    assert {name: seen(broken, name) for name in summaries} == summaries


def seen(days: Days, summary: str) -> list[tuple[object, ...]]:
    """Return what readers see of a summary."""
    return sorted(days.servers.rows(f"select * from {days.pipeline.name}.{summary}"), key=str)


def test_a_plan_sees_new_mends_once_and_a_later_run_takes_them_over(broken: Days, file: Path) -> None:
    assert broken.planned("--to", DAY) == {DAY: "skip: nothing changed"}
    replay(broken, fill(written(broken, file), lines=(2,)))
    (planned,) = broken.json("plan", "--to", DAY)["planned"]
    assert (planned["action"], planned["reason"], planned["steps"][2:]) == ("run", "rows mended", list(STEPS[2:]))
    broken.run(DAY)
    assert broken.planned("--to", DAY) == {DAY: "skip: nothing changed"}
    again = broken.run(DAY)
    assert [step for step in STEPS if again.receipt(step).reused_from] == list(STEPS[2:7])
    assert again.receipt("load").mended == work_mended(broken, "run_2")


def work_mended(days: Days, run: str) -> tuple[Mended, ...]:
    """Return who mended rows, by the receipt of a run's load."""
    return days.servers.work(days.pipeline, DAY, run).receipt("load").mended


def test_a_file_that_is_refused_for_its_many_bad_rows_is_published_when_enough_are_mended(
    days: Days, file: Path
) -> None:
    bad = range(2, 27)
    break_lines(days, {line: ("2013,", "20l3,") for line in bad})
    with pytest.raises(BadData, match="25 of 842 rows are refused, limit 20"):
        days.run(DAY)
    printed = days.command("refused", DAY)[1]
    assert "run run_1, failed at load, BadData: " in printed
    assert "load  flights  year    not_an_integer  25    2-26" in printed
    written(days, file)
    replay(days, fill(file, lambda row: row["raw"].replace("20l3", "2013"), tuple(bad)[:10]))
    work = days.run(DAY)
    assert work.receipt("load").rows["flights"].refused == {"year_not_an_integer": 15}
    assert published(days) == 827


def test_another_delivery_sets_the_mends_aside_and_says_so_and_the_same_one_again_takes_them(
    broken: Days, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mended(broken, file)
    first = broken.file(DAY).read_bytes()
    deliver(broken, first + first.splitlines(keepends=True)[1].replace(b",1545,", b",1546,"))
    caplog.clear()
    work = broken.run(DAY)
    assert published(broken) == 839
    said = "3 mends of flights are set aside: they were made for other bytes (sha256 "
    assert work.receipt("load").mends_set_aside.startswith(said)
    assert [line for line in caplog.text.splitlines() if said in line]
    assert said in (published_files(work) / "report.html").read_text()
    assert work.receipt("load").mended == ()
    deliver(broken, first)
    work = broken.run(DAY)
    assert published(broken) == 842
    assert work.receipt("load").reused_from == "run_2"


def test_mends_are_added_to_those_before_and_what_is_there_stays_as_it_was(broken: Days, file: Path) -> None:
    replay(broken, fill(written(broken, file), lines=(2,)))
    code, printed = replay(broken, fill(file), why="another reason")
    assert code == 0
    assert "mends kept: flights 3; of these new: flights 2" in printed
    before = kept_mends(broken)
    code, printed = replay(broken, file, why="a third one")
    assert (code, kept_mends(broken)) == (0, before)
    assert "mends kept: flights 3; of these new: none" in printed
    broken.run(DAY)
    decided = "select why, found from daybook.decision where pipeline = %s order by why"
    rows = broken.servers.rows(decided, broken.pipeline.name, role="warehouse_owner")
    assert rows == [("another reason", "flights 2"), (WHY, "flights 1")]


def test_a_mend_may_be_mended_though_its_row_is_not_refused_any_more(broken: Days, file: Path) -> None:
    mended(broken, file)
    fill(file, lambda row: right(row).replace(",1400,", ",1401,"), (2,))
    assert replay(broken, file, why="one mile more")[0] == 0
    work = broken.run(DAY)
    assert broken.servers.rows(f"select distance_mi from {broken.pipeline.name}.by_day") == [(907197,)]
    assert len(work.receipt("load").mended) == 2


def test_a_mended_row_obeys_the_rules_and_is_refused_again_as_it_was_mended(broken: Days, file: Path) -> None:
    replay(broken, fill(written(broken, file), lambda row: right(row).replace("2013,1,1,", "2013,1,3,"), (2, 4)))
    work = broken.run(DAY)
    assert work.receipt("clean").rows["flights"].refused == {"other_day": 2}
    file.unlink()
    rows = {int(row["line"]): row for row in csv.DictReader(written(broken, file).read_text("utf-8-sig").splitlines())}
    assert [rows[line]["raw"][:9] for line in (2, 4, 6)] == ["2013,1,3,", "2013,1,3,", "2013,1,1,"]


@pytest.mark.parametrize(
    ("mend", "said"),
    [
        (lambda row: row["raw"], "row 2 (flights, line 2): the loader would refuse it again: column 'dep_time'"),
        (
            lambda row: right(row) + ",canary",
            "row 2 (flights, line 2): the loader would refuse it again: too_many_fields",
        ),
        (lambda row: "", "no row is mended; nothing was kept"),
    ],
)
def test_a_bad_mend_keeps_none_and_says_why_in_one_message(broken: Days, file: Path, mend: Mend, said: str) -> None:
    code, printed = replay(broken, fill(written(broken, file), mend))
    assert code == 40
    assert said in printed
    assert "canary" not in printed
    assert "five" not in printed
    assert kept_mends(broken) == {}
    assert broken.planned("--to", DAY) == {DAY: "skip: nothing changed"}


def test_a_file_of_an_earlier_delivery_is_not_kept(broken: Days, file: Path) -> None:
    fill(written(broken, file))
    deliver(broken, broken.file(DAY).read_bytes().replace(b",1400,", b",1401,", 1))
    broken.run(DAY)
    code, printed = replay(broken, file)
    assert (code, kept_mends(broken)) == (40, {})
    assert "another file than the day was loaded from last; have the refused rows written anew" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "expected a FILE with mended rows, or --withdraw"),
        (("mended.csv",), "--why is not given"),
        (("none.csv", "--why", "x"), "No such file or directory; nothing was kept"),
    ],
)
def test_a_replay_that_lacks_something_says_what(days: Days, words: tuple[str, ...], said: str) -> None:
    code, printed = days.command("replay", DAY, *words)
    assert code == 2
    assert said in printed


@pytest.mark.parametrize("command", ["refused", "replay"])
def test_a_day_that_nobody_loaded_says_so(days: Days, file: Path, command: str) -> None:
    file.write_text(f"source,line,raw,mended,file_sha256\nflights,2,x,y,{'a' * 64}\n")
    words = () if command == "refused" else (str(file), "--why", "x")
    code, printed = days.command(command, DAY, *words)
    assert code == 40
    assert f"{days.pipeline.name} {DAY}: no run has loaded this day" in printed


def test_a_run_whose_files_are_gone_is_named(broken: Days, file: Path) -> None:
    shutil.rmtree(broken.servers.work(broken.pipeline, DAY, "run_1").folder.path)
    code, printed = broken.command("refused", DAY, "--out", str(file))
    assert (code, file.exists()) == (40, False)
    assert "expected the files of run run_1; nothing was done; run the day again" in printed


def test_a_run_that_failed_after_load_has_its_refused_rows_and_says_where_it_failed(days: Days, file: Path) -> None:
    break_lines(days)
    days.change(plausible=Plausible(min_rows=1000))
    with pytest.raises(Implausible):
        days.run(DAY)
    printed = days.command("refused", DAY)[1]
    assert "run run_1, failed at summarize, Implausible: " in printed
    assert "refused rows: 3" in printed
    assert days.planned("--to", DAY)[DAY].startswith("blocked: held: ")
    replay(days, fill(written(days, file)))
    assert days.planned("--to", DAY) == {DAY: "run: rows mended"}


def test_withdrawn_mends_are_gone_and_the_day_is_to_be_run_without_them(broken: Days, file: Path) -> None:
    mended(broken, file)
    assert "3 mends are withdrawn" in broken.command("replay", DAY, "--withdraw")[1]
    assert broken.planned("--to", DAY) == {DAY: "run: rows mended"}
    broken.run(DAY)
    assert published(broken) == 839


def test_a_row_of_a_table_is_mended_like_one_of_a_file(days: Days, file: Path) -> None:
    airlines, planes = days.pipeline.tables
    columns = [c.model_copy(update={"maximum": 400} if c.name == "seats" else {}) for c in planes.columns]
    days.change(tables=(airlines, planes.model_copy(update={"columns": tuple(columns)})))
    assert days.run(DAY).receipt("clean").rows["planes"].refused == {"seats_above_maximum": 1}
    (row,) = csv.DictReader(written(days, file).read_text("utf-8-sig").splitlines())
    fill(file, lambda row: row["raw"].replace("450", "400"), (int(row["line"]),))
    assert replay(days, file)[0] == 0
    work = days.run(DAY)
    assert work.receipt("clean").rows["planes"].refused == {}
    assert work.receipt("load").mended[0].rows == {"planes": 1}


@pytest.mark.parametrize(
    ("form", "pack"),
    [
        (Form(compression="gzip"), gzip.compress),
        (Form(encoding="utf-16"), lambda content: content.decode().encode("utf-16")),
    ],
)
def test_packed_and_other_files_have_raw_rows_and_take_mends(
    days: Days, file: Path, form: Form, pack: Callable[[bytes], bytes]
) -> None:
    days.change(files=(days.pipeline.files[0].model_copy(update={"form": form}),))
    break_lines(days)
    plain = lines_of(days)
    deliver(days, pack(b"".join(plain)))
    days.run(DAY)
    rows = csv.DictReader(written(days, file).read_text("utf-8-sig").splitlines())
    assert [row["raw"] for row in rows] == [plain[n - 1].decode().rstrip() for n in BROKEN]
    replay(days, fill(file))
    days.run(DAY)
    assert published(days) == 842


def test_rows_of_a_sheet_are_told_as_JSON_and_take_mends(days: Days, file: Path) -> None:
    source = days.pipeline.files[0].model_copy(update={"form": Form(format="xlsx")})
    days.change(files=(source,))
    break_lines(days)
    rows = csv.reader(io.StringIO(b"".join(lines_of(days)).decode()))
    deliver(days, workbook([cell or None for cell in row] for row in rows))
    days.run(DAY)
    said = [json.loads(row["raw"]) for row in csv.DictReader(written(days, file).read_text("utf-8-sig").splitlines())]
    assert [(row["dep_time"], row["day"], row["carrier"]) for row in said] == [
        ("five", "1", "UA"), ("542", "2", "AA"), ("554", "1", "ZZ")
    ]  # fmt: skip
    whole = {2: ('"five"', '"517"'), 4: ('"day": "2"', '"day": "1"'), 6: ('"ZZ"', '"DL"')}
    assert replay(days, fill(file, lambda row: row["raw"].replace(*whole[int(row["line"])])))[0] == 0
    days.run(DAY)
    assert published(days) == 842
    assert "not as they are there, but mended: 2, 4, 6" in days.command("trace", DAY, "by_day", "flights")[1]


def test_a_traced_number_names_the_lines_that_were_mended(broken: Days, file: Path) -> None:
    mended(broken, file)
    code, printed = broken.command("trace", DAY, "by_day", "flights")
    assert code == 0
    assert "not as they are there, but mended: 2, 4, 6" in printed
    assert printed.rstrip().endswith("these lines give 842: equal")
    assert broken.json("trace", DAY, "by_origin", "flights", "origin=JFK")["mended"] == [4]


def test_without_mends_nothing_of_them_is_in_a_receipt(broken: Days) -> None:
    for step in STEPS:
        receipt = broken.servers.work(broken.pipeline, DAY, "run_1").receipt(step)
        assert not [name for name in (*receipt.inputs, *receipt.outputs) if "mend" in name]
        assert (receipt.mended, receipt.mends_set_aside) == ((), "")


def test_no_mended_value_is_in_a_log_a_receipt_or_the_ledger(
    broken: Days, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "N0CANARY"
    fill(written(broken, file), lambda row: right(row).replace(row["raw"].split(",")[11], canary))
    printed = replay(broken, file)[1]
    work = broken.run(DAY)
    told = [work.receipt(step).model_dump_json() for step in STEPS]
    tables = [f"select row_to_json(t)::text from daybook.{table} t" for table in ("step", "ledger", "decision", "run")]
    stored = [str(broken.servers.rows(query, role="warehouse_owner")) for query in tables]
    for where in (printed, caplog.text, *told, *stored, *(broken.command(name, DAY)[1] for name in ("why", "refused"))):
        assert where
        assert canary not in where
    assert canary in str(kept_mends(broken))


def test_a_ledger_that_was_made_before_there_were_mends_takes_them(broken: Days, file: Path) -> None:
    with broken.servers.connect_postgres("warehouse") as connection:
        connection.execute(b"alter table daybook.decision drop constraint decision_what_check")
        connection.execute(
            b"alter table daybook.decision add constraint decision_what_check check (what in ('release', 'rollback')) "
            b"not valid"
        )
        # So it was before migrations had numbers.
        connection.execute(b"drop table daybook.migration")
    mended(broken, file)
    with broken.servers.connect_postgres("warehouse") as connection:
        runs.prepare(connection)
        (definition,) = connection.execute(
            b"select pg_get_constraintdef(oid) from pg_constraint where conname = 'decision_what_check'"
        ).fetchall()
    assert "mend" in definition[0]


def test_refused_rows_of_a_file_are_not_shown_as_those_of_a_newer_one_that_was_only_extracted(broken: Days) -> None:
    break_lines(broken, {8: ("2013,1,1,", "2013,1,2,")})
    work = broken.servers.work(broken.pipeline, DAY, "run_1")
    run_step(steps.extract_files, work)
    code, said = broken.command("refused", DAY)
    assert (code, "only its extracts were cleared" in said) == (40, True), said
    assert "clear `load` and everything downstream" in said
    run_steps(work, broken.servers)
    assert "refused rows: 4" in broken.command("refused", DAY)[1]


def test_refused_rows_are_shown_of_a_run_whose_extract_was_done_again_over_the_same_file(broken: Days) -> None:
    run_step(steps.extract_files, broken.servers.work(broken.pipeline, DAY, "run_1"))
    assert "run_1, deployed (published); refused rows: 3" in broken.command("refused", DAY)[1]
