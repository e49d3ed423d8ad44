"""A pipeline of another kind: each branch delivers its own file over SFTP, a day later, under a name with its number.

Each file ends with a trailer that counts its rows. The numbers are held against those that Python's csv module and
decimals make of the same files.
"""

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from daybook import steps
from daybook.errors import BadData, NotYet
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.run.several_days import over_days
from daybook.spec import (
    Engine,
    File,
    Form,
    Limits,
    Measure,
    Pipeline,
    Plausible,
    Schedule,
    Summary,
    Target,
    day_date,
    decimal,
    integer,
    text,
)
from daybook.storage.tables import read_parquet
from tests.support import sshd
from tests.support.servers import Servers, run_steps
from tests.support.sshd import Sshd
from tests.support.warehouse import drop_pipeline

DAYS = (date(2026, 3, 28), date(2026, 3, 29))
BRANCHES = ("Madrid-07", "lisboa_12", "Köln")


@dataclass
class Branches:
    """The folder of a supplier's server, and what is published of it."""

    root: Path
    servers: Servers
    pipeline: Pipeline

    def path(self, branch: str, day: date) -> Path:
        """Return where a branch's file of a day lies."""
        return self.root / "out" / f"Sales_{branch}_{day + timedelta(days=1):%Y%m%d}.CSV"

    def deliver(self, branch: str, day: date, sales: int, bad: str = "") -> None:
        """Deliver the file of a branch with so many sales, and one more row as it is."""
        rows = [
            f"{number};{branch};{day:%d.%m.%Y};{number * 37 % 1000},{number % 100:02}" for number in range(1, sales)
        ]
        rows += [bad] if bad else []
        lines = ["id;branch;day;amount", *rows, f"TRL;{len(rows)}"]
        self.path(branch, day).write_text("".join(f"{line}\r\n" for line in lines))

    def deliver_all(self) -> None:
        """Deliver the files of all branches and days."""
        for day in DAYS:
            for number, branch in enumerate(BRANCHES, 1):
                self.deliver(branch, day, 300 * number)

    def published(self, day: date) -> list[tuple[object, ...]]:
        """Return what readers see of a day."""
        query = f"select branch, sales, amount_eur from {self.pipeline.name}.by_branch where day = '{day}'"
        return sorted(self.servers.rows(query, role="warehouse_owner"))

    def expected(self, day: date) -> list[tuple[object, ...]]:
        """Return what another program makes of the files."""
        found = []
        for path in self.root.glob(f"out/[!.]*_{day + timedelta(days=1):%Y%m%d}.CSV"):
            with path.open(newline="") as file:
                rows = [row for row in csv.DictReader(file, delimiter=";") if row["amount"] not in ("soon", None)]
            total = sum(Decimal(row["amount"].replace(",", ".")) for row in rows)
            found.append((rows[0]["branch"], len(rows), total))
        return sorted(found)


@dataclass
class Supplier(Branches):
    """The supplier's server, and runs of days over it."""

    server: Sshd

    def work(self, day: date, run: str, engine: Engine = "polars") -> DayRun:
        """Return the work of a run on a day, with this server."""
        pipeline = self.pipeline.model_copy(update={"engine": engine})
        return replace(self.servers.work(pipeline, str(day), run), ftp=lambda _: self.server.connection().open(20))


@pytest.fixture
def supplier(
    request: pytest.FixtureRequest, sshd_command: list[str], servers: Servers, tmp_path: Path
) -> Iterator[Supplier]:
    """A supplier whose three branches have delivered two days."""
    name, root = f"b{zlib.crc32(request.node.nodeid.encode())}", tmp_path / "root"
    (root / "out").mkdir(parents=True)
    with sshd.running(sshd_command, tmp_path / "sshd", root) as server:
        supplier = Supplier(root, servers, branches(name), server)
        supplier.deliver_all()
        yield supplier
    with psycopg.connect(servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


def branches(name: str) -> Pipeline:
    """Return the pipeline: the sales of a day, by branch."""
    sales = File(
        name="sales",
        connection="supplier",
        path="out/sales_*_{day+1:%Y%m%d}.csv",
        pick="all",
        at_least=len(BRANCHES),
        ignore_case=True,
        is_written_whole=True,
        delimiter=";",
        columns=(
            integer("id"),
            text("branch", is_required=True),
            day_date("day", "sold_on", format="%d.%m.%Y"),
            decimal("amount", "amount_eur", digits=9, scale=2, decimal_mark=","),
        ),
        key=("branch", "id"),
        form=Form(header_line=1, footer=r"TRL;(?P<rows>[0-9]+)"),
        limits=Limits(refused_rows=5),
    )
    return Pipeline(
        name=name,
        description="The sales of a day, by branch",
        files=(sales,),
        facts="sales",
        day_columns=("sold_on",),
        measures=(Measure(name="sales", how="count"), Measure(name="amount_eur", how="sum", of="amount_eur")),
        summaries=(Summary(name="by_branch", by=("branch",), columns=("sales", "amount_eur")),),
        plausible=Plausible(within_pct=None),
        target=Target(schema=name),
        schedule=Schedule(time_zone="Europe/Madrid", start=DAYS[0]),
    )


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_the_numbers_of_all_branches_are_published(supplier: Supplier, engine: Engine) -> None:
    run_steps(supplier.work(DAYS[0], "run_1", engine), supplier.servers)
    assert supplier.published(DAYS[0]) == supplier.expected(DAYS[0])
    assert [row[0] for row in supplier.published(DAYS[0])] == sorted(BRANCHES)


def test_several_days_of_a_run_share_one_connection(supplier: Supplier, tmp_path: Path) -> None:
    days = [supplier.work(day, "run_1") for day in DAYS]
    for step in STEPS:
        over_days(getattr(steps, step), days, is_last_try=True)
    assert [supplier.published(day) for day in DAYS] == [supplier.expected(day) for day in DAYS]
    assert (tmp_path / "sshd/log").read_text().count("Accepted publickey") == 1


def test_a_bad_row_is_told_by_its_branch_s_file_and_the_others_are_published(supplier: Supplier) -> None:
    supplier.deliver(BRANCHES[1], DAYS[0], 600, bad="9999;lisboa_12;28.03.2026;soon")
    day_run = run_steps(supplier.work(DAYS[0], "run_1"), supplier.servers)
    with (day_run.folder / "load").open("refused.parquet") as file:
        (detail,) = read_parquet(file)["detail"].to_pylist()
    assert detail.startswith("Sales_lisboa_12_20260329.CSV, line 601: ")
    assert supplier.published(DAYS[0]) == supplier.expected(DAYS[0])


def test_a_branch_that_is_missing_holds_the_day_until_its_cut_off(supplier: Supplier) -> None:
    supplier.path(BRANCHES[2], DAYS[0]).unlink()
    missing = r"supplier: out/sales_\*_20260329.csv is not there: 2 files of at least 3 match it(, and| \()"
    with pytest.raises((NotYet, BadData), match=missing):
        run_step(steps.extract_files, supplier.work(DAYS[0], "run_1"))


def test_a_branch_s_file_that_was_cut_before_its_trailer_s_count_is_refused(supplier: Supplier) -> None:
    path = supplier.path(BRANCHES[0], DAYS[0])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:100], lines[-1]]))
    with pytest.raises(BadData, match=r"Sales_Madrid-07_20260329.CSV.*299"):
        run_steps(supplier.work(DAYS[0], "run_1"), supplier.servers)
