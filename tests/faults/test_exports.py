"""An export that is ended half way: the day stays published, and the next try leaves exactly one whole file of each."""

from dataclasses import replace

import pytest

from tests.support.bench import DAY, NEW, OLD, Bench
from tests.support.partner import EXPORT, WithPartner


@pytest.fixture
def exporting(bench: Bench) -> Bench:
    """A bench whose pipeline sends each day to a partner, and has published one."""
    servers = WithPartner(bench.servers.postgres, bench.servers.ftp, bench.servers.data)
    servers.partner.mkdir(parents=True)
    exporting = replace(bench, servers=servers, pipeline=bench.pipeline.model_copy(update={"exports": (EXPORT,)}))
    exporting.publish(DAY, "before", OLD)
    return exporting


@pytest.mark.parametrize("at", ["os.remove SHA256SUMS", "os.rename by_day.csv", "sql insert into exported"])
def test_an_export_that_is_ended_at_any_moment_is_done_by_the_next_try(exporting: Bench, at: str) -> None:
    partner = exporting.servers
    assert isinstance(partner, WithPartner)
    exporting.deliver(DAY, NEW)
    assert exporting.do(DAY, "run", last="save")["error"] == ""
    assert exporting.do(DAY, "run", first="deploy", at=at, how="kill")["exit"] == -9
    assert exporting.seen(DAY)[0] == NEW
    assert exporting.do(DAY, "run", first="deploy")["error"] == ""
    assert partner.owed(exporting.pipeline) == []
    names = {f"{s.name}.{form}" for s in exporting.pipeline.summaries for form in ("csv", "parquet")}
    taken = {path.rpartition("/")[2]: content for path, content in partner.taken().items()}
    sums = taken.pop("SHA256SUMS").decode()
    assert taken == {name: (exporting.published / DAY / name).read_bytes() for name in names}
    assert {line.split("  ")[1] for line in sums.splitlines()} == names
    assert len({run_id for run_id, _ in partner.sent(exporting.pipeline)}) == 2
    exporting.check()
