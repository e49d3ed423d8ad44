"""An export that is owed, as the commands tell it, and as `./daybook export` pays it."""

import json
from pathlib import Path

import pytest

from daybook.spec import Export

from .conftest import Days

DAY, OTHER = "2013-01-02", "2013-01-03"


def test_an_export_that_the_server_refuses_is_told_and_paid_by_the_command(
    days: Days, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert days.command("export")[0] == 2
    days.run(OTHER)
    days.change(exports=(Export(name="partner", connection="partner", path="{day:%Y-%m-%d}/{name}.csv"),))
    # The servers of the steps know one FTP server, where nobody may write.
    days.run(DAY)
    assert days.json("status")["published"] == [DAY, OTHER]
    (owed,) = days.json("status")["exports_owed"]
    assert (owed["day"], owed["export"], owed["tries"]) == (DAY, "partner", 1)
    assert "partner: 2013-01-02/.by_airline.csv.daybook: the FTP server does not take the file (550" in owed["error"]
    for words in (("status",), ("why", DAY)):
        assert f"export partner owes run {owed['run_id']} since" in days.command(*words)[1]
    code, told = days.command("export")
    assert code == 1
    assert "AIRFLOW_CONN_PARTNER is not set" in told
    monkeypatch.setenv("AIRFLOW_CONN_PARTNER", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path)}}))
    code, told = days.command("export")
    names = [f"{summary.name}.csv" for summary in days.pipeline.summaries]
    assert (code, sorted(path.name for path in (tmp_path / DAY).iterdir())) == (0, sorted(names))
    assert f"{DAY}: export partner: {len(names)} files sent to partner" in told
    assert days.json("status")["exports_owed"] == []
    (sentence,) = days.json("why", DAY)["exports"]
    assert sentence.startswith(f"export partner sent run {owed['run_id']} at ")
    assert days.command("export", "--from", DAY, "--to", OTHER)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("2013")) == [DAY, OTHER]
    assert days.command("export", "2013-01-01")[0] == 2
    assert "What its exports sent stays" in days.command("rollback", DAY, "--to", "nothing")[1]
    assert "Its exports are owed now" in days.command("rollback", DAY, "--to", str(owed["run_id"]))[1]
    assert [debt["day"] for debt in days.json("status")["exports_owed"]] == [DAY]
    days.change(exports=())
    told = f"export partner is not in the spec any more, and owes 1 day, {DAY}"
    assert f"{told}; the next run lets that go" in days.command("status")[1]
    assert days.json("status")["exports_forgotten"] == [{"export": "partner", "days": [DAY]}]
    assert told in days.command("why", DAY)[1]
    assert f"{told}: let go" in days.command("export")[1]
    assert days.json("status")["exports_forgotten"] == []
    assert days.command("export")[0] == 2
