"""Exports of a day: sent after readers see it, whole, once for each content, and owed until they are there."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from daybook.ledger.exports import owed_of, told
from daybook.pages.run_state import read_day
from daybook.postgres.session import at_once
from daybook.publish.exports import Exporter, ask_again
from daybook.publish.finished_periods import follow_periods
from daybook.publish.rollback import rollback, take_back
from daybook.spec import Summary
from daybook.storage.data_folder import DataFolder
from tests.support.bench import DAY, Bench
from tests.support.days import page_of
from tests.support.partner import EXPORT, WithPartner
from tests.support.rolled_up import BY_WEEK, DAYS, Orders
from tests.support.runner import do_steps

OTHER_DAY = "2013-01-06"


@pytest.fixture
def partner(bench: Bench, tmp_path: Path) -> WithPartner:
    """The bench's servers, with a partner's folder."""
    servers = WithPartner(bench.servers.postgres, bench.servers.ftp, bench.servers.data)
    servers.partner.mkdir(parents=True)
    return servers


@pytest.fixture
def exporting(bench: Bench, partner: WithPartner) -> Bench:
    """A bench whose pipeline sends each day to the partner."""
    return replace(bench, servers=partner, pipeline=bench.pipeline.model_copy(update={"exports": (EXPORT,)}))


def exporter(bench: Bench) -> Exporter:
    """Return what the command pays debts with."""
    connect = partial(bench.servers.connect_postgres, "warehouse")
    data = DataFolder(UPath(f"file://{bench.servers.data}"))
    return Exporter(bench.pipeline, data, connect, bench.servers.connect_ftp, bench.servers.connect_postgres)


def pay(bench: Bench) -> list[str]:
    """Pay what is owed; return what was done, "" for each that failed."""
    return [exporter(bench).pay(owed) for owed in exporter(bench).owed()]


def published(bench: Bench, day: str = DAY) -> dict[str, bytes]:
    """Return what the partner has to have of a day: the published files, and their sums as sha256sum writes them."""
    folder = f"out/{day}"
    names = [f"{s.name}.{form}" for form in ("csv", "parquet") for s in bench.pipeline.summaries]
    files = {name: (bench.published / day / name).read_bytes() for name in names}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    return {f"{folder}/{name}": content for name, content in [*files.items(), ("SHA256SUMS", sums.encode())]}


def in_warehouse(bench: Bench, do: Callable[..., Any], *words: Any) -> Any:
    """Do something in a session with the warehouse."""
    return at_once(partial(bench.servers.connect_postgres, "warehouse"), lambda session: do(session, *words))


def times(partner: WithPartner) -> dict[str, int]:
    """Return when each file of the partner was written."""
    return {str(path): path.stat().st_mtime_ns for path in partner.partner.rglob("*") if path.is_file()}


def test_a_published_day_is_sent_once_for_each_content(exporting: Bench, partner: WithPartner) -> None:
    exporting.publish(DAY, "run_1", 40)
    assert partner.taken() == published(exporting)
    first = times(partner)
    exporting.publish(DAY, "run_2", 40)
    work = partner.work(exporting.pipeline, DAY, "run_3", is_forced=True)
    do_steps(work)
    assert times(partner) == first
    exporting.publish(DAY, "run_4", 41)
    assert partner.taken() == published(exporting)
    (_, paths), (_, again) = partner.sent(exporting.pipeline)
    assert paths == again == sorted(published(exporting))
    assert partner.owed(exporting.pipeline) == []
    exporting.check()


def test_a_day_that_is_rolled_back_is_sent_again_and_one_taken_back_owes_nothing(
    exporting: Bench, partner: WithPartner
) -> None:
    for rows in (40, 41):
        exporting.publish(DAY, f"run_{rows}", rows)
    newest = partner.taken()
    day, data = partner.work(exporting.pipeline, DAY, "any").day, exporter(exporting).data
    in_warehouse(exporting, rollback, exporting.pipeline, day, data, "ann", "wrong prices")
    ((_, run_id, tries, error),) = partner.owed(exporting.pipeline)
    assert (tries, error) == (0, None)
    assert run_id == min(exporting.run_ids(DAY))
    # The next deployment of any day pays it.
    exporting.publish(OTHER_DAY, "run_1", 40)
    assert partner.owed(exporting.pipeline) == []
    assert partner.taken()[f"out/{DAY}/by_day.csv"] != newest[f"out/{DAY}/by_day.csv"]
    in_warehouse(exporting, rollback, exporting.pipeline, day, data, "ann", "right prices", max(exporting.run_ids(DAY)))
    in_warehouse(exporting, take_back, exporting.pipeline, day, "ann", "wrong")
    assert partner.owed(exporting.pipeline) == []


def test_a_server_that_is_away_leaves_the_day_published_and_the_export_owed_and_told(
    exporting: Bench, partner: WithPartner
) -> None:
    partner.partner.rename(partner.data / "away")
    exporting.publish(DAY, "run_1", 40)
    assert exporting.seen(DAY)[0] == 40
    ((day, run_id, tries, error),) = partner.owed(exporting.pipeline)
    assert (day, tries) == (DAY, 1)
    assert "there is no such folder on this machine" in error
    work = partner.work(exporting.pipeline, DAY, "run_1")
    (owed,) = in_warehouse(exporting, owed_of, exporting.pipeline)
    assert f"export partner owes run {run_id} since" in str(owed)
    assert "tries that failed: 1, the last: " in str(owed)
    page = page_of(read_day(work.data, exporting.pipeline, "run_1", work.day))
    assert "export partner: owed: " in page
    assert pay(exporting) == [""]
    (partner.data / "away").rename(partner.partner)
    assert pay(exporting) == ["7 files sent to partner"]
    assert partner.taken() == published(exporting)
    (sentence,) = in_warehouse(exporting, told, exporting.pipeline, work.day)
    assert sentence.startswith(f"export partner sent run {run_id} at ")


def test_a_person_may_ask_for_days_again_and_for_days_from_before_the_export(
    bench: Bench, exporting: Bench, partner: WithPartner
) -> None:
    bench.publish(DAY, "run_1", 40)
    assert pay(exporting) == []
    days = [partner.work(exporting.pipeline, day, "any").day for day in (DAY, OTHER_DAY)]
    assert in_warehouse(exporting, ask_again, exporting.pipeline, days) == days[:1]
    assert pay(exporting) == ["7 files sent to partner"]
    (partner.partner / f"out/{DAY}/by_day.csv").unlink()
    in_warehouse(exporting, ask_again, exporting.pipeline, days)
    assert pay(exporting) == ["7 files sent to partner"]
    assert partner.taken() == published(exporting)


def test_an_export_of_the_spec_only_sends_and_a_lost_file_is_told(exporting: Bench, partner: WithPartner) -> None:
    partner.partner.rename(partner.data / "away")
    exporting.publish(DAY, "run_1", 40)
    (partner.data / "away").rename(partner.partner)
    other = exporting.pipeline.model_copy(update={"exports": (EXPORT.model_copy(update={"name": "other"}),)})
    assert pay(replace(exporting, pipeline=other)) == []
    (exporting.published / DAY / "by_day.csv").unlink()
    assert pay(exporting) == [""]
    ((*_, error),) = partner.owed(exporting.pipeline)
    assert "the published file by_day.csv is not in" in error
    assert partner.taken() == {}


def test_the_files_of_a_finished_week_go_out_once_and_again_if_a_day_of_it_changes(orders: Orders) -> None:
    partner = WithPartner(orders.servers.postgres, orders.servers.ftp, orders.servers.data)
    partner.partner.mkdir(parents=True)
    orders = replace(orders, servers=partner)
    by_day = Summary(name="by_day", columns=("orders",))
    # The week of 2020-12-28 is whole with these days: 2021-01-01 is closed.
    pipeline, week = orders.pipeline(by_day, BY_WEEK, exports=(EXPORT,)), DAYS[1:6]

    def sent() -> dict[str, bytes]:
        names = ("out/2020-12-28/by_week.csv", "out/2020-12-28/by_week.parquet")
        return {name.rpartition("/")[2]: partner.taken()[name] for name in names if name in partner.taken()}

    def published() -> dict[str, bytes]:
        folder = partner.data / "published" / orders.name / "by_week" / "2020-12-28"
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    orders.run(pipeline, *week[:-1])
    assert (sent(), len(partner.sent(pipeline))) == ({}, len(week) - 1)
    orders.run(pipeline, week[-1])
    first = sent()
    assert first == published()
    assert len(first) == 2
    assert partner.owed(pipeline) == []
    orders.source(f"update {orders.name}.orders set pieces = pieces + 1 where sold_at::date = '{week[2]}'")
    orders.run(pipeline, week[2])
    assert first != sent() == published()
    assert orders.ask(lambda session: ask_again(session, pipeline, [week[3]])) == [week[3]]
    owed = "select export from daybook.export_owed where pipeline = '{}' order by 1"
    assert orders.owner(owed.replace("{}", orders.name)) == [("partner",), ("partner/by_week",)]
    # A week that is finished no more owes nothing, and its files stay there.
    orders.ask(lambda session: take_back(session, pipeline, week[3], "ann", "wrong"))
    orders.ask(lambda session: follow_periods(session, DataFolder(UPath(f"file://{partner.data}")), pipeline))
    assert partner.owed(pipeline) == []
    assert len(sent()) == 2
