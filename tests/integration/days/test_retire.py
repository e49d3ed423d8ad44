"""`./daybook retire`: what there is of a pipeline or a summary goes, and nothing else; its ledger stays."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from commands import retire as command
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

from .conftest import Days, own_pipeline

FIRST, SECOND = "2013-01-01", "2013-01-02"


def owner(servers: Servers) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the owner of the warehouse."""
    return psycopg.connect(servers.postgres.dsn("warehouse", "warehouse_owner"), autocommit=True)


def ask(days: Days, query: str) -> list[tuple[object, ...]]:
    """Return what the owner of the warehouse sees."""
    with owner(days.servers) as connection:
        return connection.execute(query.encode()).fetchall()


def relations(days: Days, *schemas: str) -> list[str]:
    """Return all views and tables of some schemas."""
    names = ", ".join(f"'{schema}'" for schema in schemas)
    query = (
        "select nspname || '.' || relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        f"where relkind in ('r', 'v') and nspname in ({names}) order by 1"
    )
    return [str(name) for (name,) in ask(days, query)]


def folders(days: Days, name: str) -> list[str]:
    """Return the folders that the data folder has of a pipeline."""
    return sorted(str(path.parent.name) for path in days.servers.data.glob(f"*/{name}"))


@pytest.fixture
def other(days: Days) -> Iterator[Pipeline]:
    """Another pipeline, with other summaries, whose views and tables lie in the same schemas; it has a day."""
    name = days.pipeline.name
    pipeline = own_pipeline(name).model_copy(
        update={
            "name": f"{name}_other",
            "summaries": tuple(
                one.model_copy(update={"name": f"other_{one.name}"}) for one in days.pipeline.summaries[:1]
            ),
        }
    )
    run_steps(days.servers.work(pipeline, FIRST, "run_1"), days.servers)
    yield pipeline
    with owner(days.servers) as connection:
        drop_pipeline(connection, pipeline.name)


@pytest.fixture
def gone(days: Days) -> Days:
    """The pipeline with two published days, whose module somebody has removed."""
    for day in (FIRST, SECOND):
        days.run(day)
    days.monkeypatch.delitem(load_pipelines().good, days.pipeline.name)
    return days


def retire(days: Days, *words: str) -> tuple[int, str]:
    """Type `./daybook retire` and some words."""
    return days.command_alone("retire", *words)


def test_a_retired_pipeline_is_gone_and_its_ledger_and_the_other_one_over_its_schema_are_not(
    gone: Days, other: Pipeline
) -> None:
    name = gone.pipeline.name
    mine = [f"{schema}.{one.name}" for schema in (name, f"{name}_store") for one in gone.pipeline.summaries]
    theirs = [f"{schema}.{other.summaries[0].name}" for schema in (name, f"{name}_store")]
    assert relations(gone, name, f"{name}_store") == sorted([*mine, *theirs])
    seen = gone.servers.rows(f"select * from {theirs[0]} order by 1, 2")
    code, printed = retire(gone, name, "--yes", "--who", "ann", "--why", "nobody reads it")
    # Nothing but Airflow, which does not run here, is left.
    assert (code, printed.splitlines()[-1].startswith("Airflow was not asked (")) == (1, True), printed
    assert f"2 published days, {FIRST} to {SECOND}: readers see none any more" in printed
    assert relations(gone, name, f"{name}_store") == sorted(theirs)
    assert gone.servers.rows(f"select * from {theirs[0]} order by 1, 2") == seen != []
    assert (folders(gone, name), folders(gone, other.name)) == ([], ["days", "published"])
    kept = f"select count(*) from daybook.ledger where pipeline = '{name}'"
    assert ask(gone, kept) == [(2,)]
    changes = f"select what, summary, who, why from daybook.pipeline_change where pipeline = '{name}'"
    assert ask(gone, changes) == [("retire", None, "ann", "nobody reads it")]
    assert ask(gone, f"select count(*) from daybook.published where pipeline = '{other.name}'") == [(1,)]
    again = retire(gone, name, "--yes")
    assert f"{name}: nothing is left of it that could be removed; {name} was retired by ann at " in again[1]
    assert ask(gone, changes) == [("retire", None, "ann", "nobody reads it")]


def test_the_last_pipeline_of_a_schema_takes_the_schema_with_it(gone: Days) -> None:
    name = gone.pipeline.name
    retire(gone, name, "--yes")
    assert ask(gone, f"select nspname from pg_namespace where nspname in ('{name}', '{name}_store')") == []


def test_nothing_is_removed_if_others_have_made_a_view_on_it_or_nobody_agreed(
    gone: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = gone.pipeline.name
    before = relations(gone, name, f"{name}_store")
    code, printed = retire(gone, name)
    assert code == 40
    assert f"{name}: nobody was asked, as there is no terminal; nothing was removed; add --yes to agree" in printed
    assert (
        f"the views {', '.join(f'{name}.{one}' for one in sorted(s.name for s in gone.pipeline.summaries))}" in printed
    )
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert retire(gone, name)[0] == 40
    with owner(gone.servers) as connection:
        connection.execute(f"create view {name}.of_the_boss as select day from {name}.by_day".encode())
    code, printed = retire(gone, name, "--yes")
    assert code == 40
    assert f"view {name}.of_the_boss rest on what would go; nothing was removed" in printed
    assert relations(gone, name, f"{name}_store") == sorted([*before, f"{name}.of_the_boss"])
    assert folders(gone, name) == ["days", "published"]


class Terminal:
    """A terminal at which somebody sits."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


@pytest.mark.parametrize("at", ["daybook.storage.folder.Folder.remove", "daybook.publish.retire.drop_if_empty"])
def test_a_retirement_that_was_ended_half_way_is_done_by_the_next(
    gone: Days, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    name = gone.pipeline.name
    with monkeypatch.context() as ended:

        def end(*_: object) -> None:
            raise KeyboardInterrupt

        ended.setattr(at, end)
        with pytest.raises(KeyboardInterrupt):
            command.retire(name, yes=True)
    assert folders(gone, name) == ["days", "published"]
    code, printed = retire(gone, name, "--yes")
    assert code == 1, printed
    assert (relations(gone, name, f"{name}_store"), folders(gone, name)) == ([], [])
    assert ask(gone, f"select count(*) from daybook.published where pipeline = '{name}'") == [(0,)]


def test_a_pipeline_that_comes_back_begins_anew(gone: Days) -> None:
    retire(gone, gone.pipeline.name, "--yes")
    gone.monkeypatch.setitem(load_pipelines().good, gone.pipeline.name, gone.pipeline)
    assert gone.planned()[FIRST] == "run: never done"
    gone.run(FIRST)
    assert gone.servers.rows(f"select day::text, flights from {gone.pipeline.name}.by_day") == [(FIRST, 842)]


def test_a_pipeline_whose_step_is_at_work_is_left_alone(gone: Days) -> None:
    name = gone.pipeline.name
    with owner(gone.servers) as connection, connection.transaction():
        lock = "select pg_advisory_xact_lock(hashtext(%s), %s)"
        connection.execute(lock.encode(), [f"daybook.write {name}", date.fromisoformat(FIRST).toordinal()])
        code, printed = retire(gone, name, "--yes")
    assert code == 40
    assert f"{name}: a step is at work on {FIRST}; nothing was changed" in printed
    assert relations(gone, name) != []


def test_a_retired_summary_takes_its_view_table_and_files_and_doctor_misses_none(days: Days) -> None:
    for day in (FIRST, SECOND):
        days.run(day)
    name = days.pipeline.name
    code, printed = retire(days, f"{name}.by_origin", "--yes")
    assert code == 40
    assert f"{name}.by_origin: it is a summary of the spec, and the next run would make it again" in printed
    days.change(summaries=tuple(one for one in days.pipeline.summaries if one.name != "by_origin"))
    days.run(SECOND)
    code, printed = retire(days, f"{name}.by_origin", "--yes")
    assert code == 0, printed
    assert [one for one in relations(days, name, f"{name}_store") if "by_origin" in one] == []
    assert days.servers.rows(f"select count(*) from {name}.by_day") == [(2,)]
    assert list(days.servers.data.glob(f"published/{name}/**/by_origin.*")) == []
    assert list(days.servers.data.glob(f"published/{name}/{FIRST}/by_day.csv")) != []
    findings = days.command_alone("doctor", "--json")[1]
    assert "by_origin" not in findings
    assert f"{name} {FIRST}" not in findings


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("../mends", 2, "../mends is no name; nothing was done"),
        ("", 2, "is no name"),
        ("flihgts", 2, "no warehouse and no folder knows such a pipeline"),
        ("flights.by_dya", 2, "there is nothing of flights.by_dya"),
    ],
)
def test_a_wrong_name_removes_nothing(days: Days, word: str, code: int, said: str) -> None:
    found, printed = retire(days, word, "--yes")
    assert (found, said in printed) == (code, True), printed


def test_rows_of_another_pipeline_in_the_same_table_stay(gone: Days) -> None:
    name = gone.pipeline.name
    with owner(gone.servers) as connection:
        connection.execute(
            "with a_run as (insert into daybook.run (pipeline, day, started_by, read_at) "
            f"values ('{name}_b', '{FIRST}', 'x', now()) returning run_id) "
            f"insert into {name}_store.by_day (run_id, day, flights) select run_id, '{FIRST}', 7 from a_run".encode()
        )
        printed = retire(gone, name, "--yes")[1]
        assert "rows of another pipeline stay in it" in printed
        rows = connection.execute(f"select flights from {name}_store.by_day".encode()).fetchall()
        drop_pipeline(connection, f"{name}_b")
    assert rows == [(7,)]
    assert folders(gone, name) == []
