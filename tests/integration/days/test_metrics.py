"""The metrics of days that real runs published, held, failed and took back, against the ledger and the files."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from daybook.errors import DaybookError, Implausible
from daybook.ledger.figures import figures
from daybook.ledger.receipt import STEPS
from daybook.pipelines import load_pipelines
from daybook.planning.known_pipelines import known_pipelines
from daybook.postgres.session import begin

from .conftest import Days

DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(6)]
Values = dict[tuple[str, ...], float]


class Counted(psycopg.Connection[Any]):
    """A connection that counts its statements."""

    statements = 0

    def execute(self, *words: Any, **options: Any) -> psycopg.Cursor[Any]:
        self.statements += 1
        return super().execute(*words, **options)


@pytest.fixture
def lived(days: Days) -> Days:
    """Two published days, one that failed since, one that was taken back and then held, and two that are missing."""
    days.change(schedule=days.pipeline.schedule.model_copy(update={"end": DAYS[-1]}))
    with days.file("2013-01-02").open("a") as file:
        file.write("2013,1,2,x\n")
    for day in ("2013-01-01", "2013-01-02", "2013-01-03"):
        days.run(day)
    assert days.command("rollback", "2013-01-03", "--to", "nothing", "--why", "wrong", "--who", "ann")[0] == 0
    with pytest.raises(Implausible):
        days.run("2013-01-03")
    days.file("2013-01-01").write_text("a,b\n1,2\n")
    with pytest.raises(DaybookError):
        days.run("2013-01-01", "load")
    return days


def read(text: str, pipeline: str) -> Values:
    """Return the values about a pipeline, by the metric and its other label."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name, *(label for name, label in sample.labels.items() if name != "pipeline")): sample.value
        for sample in samples
        if sample.labels.get("pipeline") == pipeline
    }


def test_each_value_is_what_the_ledger_and_the_files_say(lived: Days, tmp_path: Path) -> None:
    out = tmp_path / "daybook.prom"
    assert lived.command_alone("metrics", "--out", str(out)) == (0, "")
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ""] == ["daybook.prom"]
    name, told = lived.pipeline.name, lived.json("status")
    values = read(out.read_text(), name)
    for state in ("published", "held", "failed", "waiting", "missing"):
        assert values["daybook_days", state] == len(told[state]), state
    assert (values["daybook_days", "published"], values["daybook_days", "held"]) == (2, 1)
    assert values[("daybook_days_rolled_back",)] == len(told["rolled_back"]) == 1
    assert values[("daybook_days_tried_since",)] == len(told["tried_since"]) == 1
    assert values[("daybook_lag_days",)] == told["lag_days"] == 4
    with psycopg.connect(lived.servers.postgres.dsn("warehouse", "warehouse_owner")) as session:
        begin(session)
        last = figures(session, name, DAYS[1], DAYS[1])[DAYS[1]]
        shown = {
            view.name: session.execute(
                f"select count(*) from {name}.{view.name} where day = '2013-01-02'".encode()
            ).fetchone()
            for view in lived.pipeline.views
        }
    assert (values[("daybook_rows_read",)], values[("daybook_rows_refused",)]) == (last.rows_read, last.rows_refused)
    assert last.rows_refused == 1
    assert {(view,): (values["daybook_rows_published", view],) for view in shown} == {(v,): n for v, n in shown.items()}
    assert values["daybook_source_bytes", "flights"] == lived.file("2013-01-02").stat().st_size
    seconds = [values["daybook_step_seconds", step] for step in STEPS]
    assert sum(seconds) == pytest.approx(float(last.seconds or 0), abs=0.06)
    now = datetime.now(UTC).timestamp()
    assert now - 600 < values[("daybook_published_timestamp_seconds",)] <= now


def test_many_pipelines_take_as_many_statements_as_one(days: Days) -> None:
    days.run("2013-01-01")
    with Counted.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        begin(connection)
        asked = []
        for others in (0, 50):
            names, before = [days.pipeline.name, *(f"p{number}" for number in range(others))], connection.statements
            known = known_pipelines(connection, dict.fromkeys(names, DAYS))
            asked.append((known[days.pipeline.name], connection.statements - before))
    assert asked[0] == asked[1]
    assert asked[0][0].status.published == tuple(DAYS[:1])
    assert asked[0][1] <= 8


def test_a_warehouse_that_is_away_is_told_and_hides_no_other(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    away = days.pipeline.model_copy(
        update={"name": "away", "target": days.pipeline.target.model_copy(update={"connection": "nowhere"})}
    )
    monkeypatch.setitem(load_pipelines().good, "away", away)
    code, text = days.command_alone("metrics")
    assert code == 1
    assert 'daybook_ledger_up{connection="nowhere"} 0.0\ndaybook_ledger_up{connection="warehouse"} 1.0\n' in text
    assert read(text, days.pipeline.name)["daybook_days", "published"] == 0
    assert read(text, "away") == {}
