"""What the spec calls otherwise, or puts elsewhere, keeps its days: a pipeline, its schema, a summary, a column."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from upath import UPath

from commands import connections
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.publish.rename import rename
from daybook.spec import Pipeline, Summary
from daybook.storage.data_folder import DataFolder
from tests.support.servers import run_steps
from tests.support.warehouse import drop_pipeline

from .conftest import Days, own_pipeline

FIRST, SECOND, THIRD = "2013-01-01", "2013-01-02", "2013-01-03"


def ask(days: Days, query: str) -> list[tuple[object, ...]]:
    """Return what the owner of the warehouse sees, or nothing if the statement returns no rows."""
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner"), autocommit=True) as connection:
        found = connection.execute(query.encode())
        return found.fetchall() if found.description else []


def make_a_view(days: Days, column: str = "flights") -> str:
    """Let somebody have a view of his own on by_day; return its name."""
    name = f"boss_{days.pipeline.name}.of_the_boss"
    ask(days, f"create schema if not exists boss_{days.pipeline.name}")
    ask(days, f"create view {name} as select day::text, {column} as number from {days.pipeline.name}.by_day")
    return name


@pytest.fixture
def old(days: Days) -> Iterator[Days]:
    """The pipeline with two published days; all that it becomes in a test is removed afterwards."""
    for day in (FIRST, SECOND):
        days.run(day)
    name = days.pipeline.name
    yield days
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        connection.execute(f"drop schema if exists boss_{name} cascade".encode())
        for one in {days.pipeline.name, days.pipeline.target.schema_, f"{name}_b"} - {name}:
            drop_pipeline(connection, one)


def call_it(days: Days, name: str, **words: object) -> None:
    """Give the pipeline another name, and say so in the spec."""
    before = days.pipeline.name
    days.rename(name)
    days.change(renamed_from=before, **words)


def begin(days: Days) -> bool:
    """Do what a task does first."""
    data = DataFolder(UPath(days.servers.data.as_uri()))
    return rename(partial(connections.postgres, "warehouse"), days.pipeline, data, "manual by ann")


def changes(days: Days) -> list[str]:
    """Return what the plan says that readers will notice."""
    told: list[str] = days.json("plan")["changes_for_readers"]
    return told


def folders(days: Days, name: str) -> list[str]:
    """Return the folders that the data folder has of a pipeline."""
    return sorted(path.parent.name for path in days.servers.data.glob(f"*/{name}"))


@pytest.mark.parametrize("has_schema_of_its_own", [False, True])
def test_of_two_pipelines_one_is_renamed_and_one_retired_and_no_reader_loses_a_day_of_the_first(
    old: Days, has_schema_of_its_own: bool
) -> None:
    before, after = old.pipeline.name, f"{old.pipeline.name}_new"
    other = own_pipeline(before).model_copy(
        update={"name": f"{before}_b", "target": old.pipeline.target.model_copy(update={"schema_": f"{before}_b"})}
    )
    run_steps(old.servers.work(other, FIRST, "run_1"), old.servers)
    theirs, seen = make_a_view(old), [(FIRST, 842), (SECOND, 943)]
    schema = after if has_schema_of_its_own else before
    call_it(old, after, target=old.pipeline.target.model_copy(update={"schema_": schema}))
    # Before the first run, all is as it was, and the plan says what will be.
    told = changes(old)
    assert told[0].startswith(f"{before}: becomes {after}; 2 published days, the views and the ledger go on")
    assert f"nothing is left at {old.servers.data}/published/{before}" in told[1]
    assert any(f"{before}.by_day: becomes {schema}.by_day" in line for line in told) == has_schema_of_its_own
    assert [old.planned()[day] for day in (FIRST, SECOND)] == ["skip: nothing changed"] * 2
    assert old.json("status")["published"] == [FIRST, SECOND]
    assert old.command("why", FIRST)[0] == 0
    assert (folders(old, before), folders(old, after)) == (["days", "published"], [])
    # So it is after it.
    assert begin(old)
    assert not begin(old)
    assert ask(old, f"select * from {theirs} order by 1") == seen
    assert (folders(old, before), folders(old, after)) == ([], ["days", "published"])
    assert old.json("status")["published"] == [FIRST, SECOND]
    old.run(THIRD)
    assert ask(old, f"select * from {theirs} order by 1") == [*seen, (THIRD, 914)]
    assert old.servers.rows(f"select day::text, flights from {schema}.by_day order by 1") == [*seen, (THIRD, 914)]
    assert changes(old) == []
    assert [old.planned()[day] for day in (FIRST, SECOND, THIRD)] == ["skip: nothing changed"] * 3
    for table in ("run", "published", "ledger", "step", "decision"):
        assert ask(old, f"select count(*) from daybook.{table} where pipeline = '{before}'") == [(0,)]
    kept = f"select count(*) from pg_namespace where nspname in ('{before}', '{before}_store')"
    assert ask(old, kept) == [(0 if has_schema_of_its_own else 2,)]
    renames = f"select pipeline, became, who from daybook.pipeline_change where pipeline = '{before}'"
    assert ask(old, renames) == [(before, after, "manual by ann")]
    assert "the published folder" not in old.command_alone("doctor", "--json")[1]
    # The other one goes, and takes nothing of the first.
    assert old.command_alone("retire", other.name, "--yes")[0] == 1
    assert (folders(old, other.name), folders(old, after)) == ([], ["days", "published"])
    assert ask(old, f"select * from {theirs} order by 1") == [*seen, (THIRD, 914)]
    # And nothing is left of the old name.
    assert f"{before} was renamed to {after} by manual by ann" in old.command_alone("retire", before, "--yes")[1]


def test_a_renamed_pipeline_takes_over_the_results_of_its_steps(old: Days) -> None:
    call_it(old, f"{old.pipeline.name}_new")
    begin(old)
    old.change(plausible=old.pipeline.plausible.model_copy(update={"min_rows": 2}))
    assert old.planned()[FIRST] == "run: spec changed: summarize"
    run = old.run(FIRST)
    assert [bool(run.receipt(step).reused_from) for step in ("load", "clean", "index", "aggregate", "summarize")] == [
        *(True,) * 4,
        False,
    ]
    assert old.command("rollback", SECOND, "--to", "nothing")[0] == 0


def test_a_verb_that_decides_takes_over_the_old_name_first(old: Days) -> None:
    before = old.pipeline.name
    call_it(old, f"{before}_new")
    code, printed = old.command("rollback", SECOND, "--to", "nothing")
    assert code == 0, printed
    assert f"{before}_new has taken over what {before} had." in printed
    assert old.servers.rows(f"select day::text from {before}.by_day") == [(FIRST,)]
    assert folders(old, before) == []


def test_a_rename_that_was_ended_half_way_is_done_by_the_next_run(old: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = old.pipeline.name, f"{old.pipeline.name}_new"
    call_it(old, after)
    whole = DataFolder.rename

    def half(self: DataFolder, was: str, name: str) -> None:
        (self.root / "days" / was).become(self.root / "days" / name)
        raise KeyboardInterrupt

    monkeypatch.setattr(DataFolder, "rename", half)
    with pytest.raises(KeyboardInterrupt):
        begin(old)
    monkeypatch.setattr(DataFolder, "rename", whole)
    assert (folders(old, before), folders(old, after)) == (["published"], ["days"])
    assert old.servers.rows(f"select day::text from {before}.by_day order by 1") == [(FIRST,), (SECOND,)]
    assert begin(old)
    assert (folders(old, before), folders(old, after)) == ([], ["days", "published"])
    assert [old.planned()[day] for day in (FIRST, SECOND)] == ["skip: nothing changed"] * 2


def test_what_is_being_renamed_is_not_retired_and_two_pipelines_with_days_are_not_made_one(old: Days) -> None:
    before, after = old.pipeline.name, f"{old.pipeline.name}_new"
    call_it(old, after, target=old.pipeline.target.model_copy(update={"schema_": after}))
    code, printed = old.command_alone("retire", before, "--yes")
    assert code == 40
    assert f"the pipeline {after} has renamed_from='{before}', and its next run takes all of this over" in printed
    # Somebody forgets the word, and remembers it later.
    old.run(FIRST)
    with pytest.raises(BadSpec, match="the ledger knows days of both names; nothing was changed"):
        begin(old)
    assert old.command("plan")[0] == 40
    assert old.servers.rows(f"select day::text from {before}.by_day order by 1") == [(FIRST,), (SECOND,)]


def test_another_target_schema_takes_the_views_and_their_days_along(old: Days) -> None:
    before, after = old.pipeline.name, f"{old.pipeline.name}_b"
    theirs = make_a_view(old)
    ask(old, f"grant select on {before}.by_day to public")
    ask(old, f"grant usage on schema {before} to public")
    old.change(target=old.pipeline.target.model_copy(update={"schema_": after}))
    assert f"{before}.by_day: becomes {after}.by_day, with all its days and rights" in "".join(changes(old))
    assert old.planned()[FIRST] == "skip: nothing changed"
    old.run(THIRD)
    assert [day for (day,) in old.servers.rows(f"select day::text from {after}.by_day order by 1")] == [
        *(FIRST, SECOND),
        THIRD,
    ]
    assert len(ask(old, f"select * from {theirs}")) == 3
    assert ask(old, f"select nspname from pg_namespace where nspname in ('{before}', '{before}_store')") == []
    assert ask(old, f"select has_table_privilege('public', '{after}.by_day', 'select')") == [(True,)]
    assert ask(old, f"select has_schema_privilege('public', '{after}', 'usage')") == [(True,)]


def test_a_renamed_summary_keeps_its_days_and_its_files_follow_when_a_day_is_done_again(old: Days) -> None:
    name, theirs = old.pipeline.name, make_a_view(old)
    renamed = {"by_day": {"name": "per_day", "renamed_from": "by_day"}}
    old.change(summaries=tuple(one.model_copy(update=renamed.get(one.name, {})) for one in old.pipeline.summaries))
    assert changes(old) == [
        f"{name}.by_day: becomes {name}.per_day, with all its days and rights; views of others on it follow, and "
        "queries have to name the new one"
    ]
    old.run(FIRST)
    assert old.servers.rows(f"select count(*) from {name}.per_day") == [(2,)]
    assert ask(old, f"select * from {theirs} order by 1") == [(FIRST, 842), (SECOND, 943)]
    assert ask(old, f"select to_regclass('{name}.by_day'), to_regclass('{name}_store.by_day')") == [(None, None)]
    published = old.servers.data / "published" / name
    files = [sorted(path.name for path in published.glob(f"{day}/*_day.csv")) for day in (FIRST, SECOND)]
    assert files == [["per_day.csv"], ["by_day.csv"]]
    assert changes(old) == []


def test_a_renamed_measure_keeps_its_values_in_every_view(old: Days) -> None:
    name, theirs = old.pipeline.name, make_a_view(old)
    call = {"flights": {"name": "trips", "renamed_from": "flights"}}
    renamed = {s.name: tuple("trips" if one == "flights" else one for one in s.columns) for s in old.pipeline.summaries}
    old.change(
        measures=tuple(one.model_copy(update=call.get(one.name, {})) for one in old.pipeline.measures),
        ratios=tuple(
            one.model_copy(
                update={word: "trips" for word in ("of", "over") if getattr(one, word) == "flights"},
            )
            for one in old.pipeline.ratios
        ),
        summaries=tuple(one.model_copy(update={"columns": renamed[one.name]}) for one in old.pipeline.summaries),
        plausible=old.pipeline.plausible.model_copy(update={"measures": ()}),
    )
    assert f"{name}.by_day: flights becomes trips, for every day" in "".join(changes(old))
    old.run(FIRST)
    assert old.servers.rows(f"select day::text, trips from {name}.by_day order by 1") == [(FIRST, 842), (SECOND, 943)]
    assert ask(old, f"select * from {theirs} order by 1") == [(FIRST, 842), (SECOND, 943)]


def test_a_renamed_group_column_keeps_its_values_and_views_on_it(old: Days) -> None:
    name = old.pipeline.name
    with psycopg.connect(old.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        connection.execute(f"create view {name}.of_the_boss as select day, airline from {name}.by_airline".encode())
    airlines = ask(old, f"select * from {name}.of_the_boss order by 1, 2")
    (lookup,) = (one for one in old.pipeline.lookups if "airline" in one.gives.values())
    of_now = lookup.model_copy(update={"gives": {"name": "airline_name"}})
    by = {"by": ("carrier", "airline_name"), "by_renamed_from": {"airline_name": "airline"}}
    old.change(
        lookups=tuple(of_now if one is lookup else one for one in old.pipeline.lookups),
        summaries=tuple(
            one.model_copy(update=by if one.by == ("carrier", "airline") else {}) for one in old.pipeline.summaries
        ),
    )
    assert f"{name}.by_airline: airline becomes airline_name, for every day" in "".join(changes(old))
    old.run(FIRST)
    assert ask(old, f"select day, airline_name from {name}.by_airline order by 1, 2") == airlines
    assert ask(old, f"select * from {name}.of_the_boss order by 1, 2") == airlines
    assert changes(old) == []


def test_a_former_name_that_is_a_view_of_another_pipeline_takes_nothing_over(old: Days) -> None:
    name = old.pipeline.name
    theirs = ask(old, f"select * from {name}.by_day order by 1")
    mine = old.pipeline.model_copy(
        update={
            "name": f"{name}_mine",
            "summaries": (old.pipeline.summaries[-1].model_copy(update={"name": "own", "renamed_from": "by_day"}),),
        }
    )
    with pytest.raises(BadSpec, match=rf"renamed_from would take over .*: by_day \(of {name}\), which own names"):
        run_steps(old.servers.work(mine, FIRST, "run_1"), old.servers)
    assert ask(old, f"select * from {name}.by_day order by 1") == theirs


def renamed(word: str, *names: str) -> tuple[Any, ...]:
    """Return parts of the flights, of which the first ones say that they had these names before."""
    parts = getattr(load_pipelines().good["flights"], word)
    new = [part.model_copy(update={"renamed_from": name}) for part, name in zip(parts, names, strict=False)]
    return (*new, *parts[len(new) :])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"renamed_from": "flights"}, "renamed_from: 'flights' is its name of now"),
        ({"renamed_from": "No Name"}, "renamed_from: 'No Name' is refused"),
        (
            {"summaries": renamed("summaries", "by_day")},
            "summaries and clean_rows: renamed_from='by_day' is still a name of now",
        ),
        ({"measures": renamed("measures", "x", "x")}, r"measures and ratios \(renamed_from\): 'x' stands twice"),
        (
            {"summaries": (Summary(name="s", by=("carrier",), columns=("flights",), by_renamed_from={"x": "y"}),)},
            r"by_renamed_from: 'x' is not a column that the summary groups by",
        ),
        (
            {
                "summaries": (
                    Summary(name="s", by=("carrier",), columns=("flights",), by_renamed_from={"carrier": "day"}),
                )
            },
            r"by_renamed_from: 'day' is still a name of now",
        ),
        (
            {"ratios": renamed("ratios", "flights")},
            "measures and ratios: renamed_from='flights' is still a name of now",
        ),
    ],
)
def test_a_wrong_former_name_is_refused_when_the_spec_is_built(words: dict[str, object], said: str) -> None:
    flights = load_pipelines().good["flights"]
    fields = {name: getattr(flights, name) for name in Pipeline.model_fields}
    with pytest.raises(BadSpec, match=said):
        Pipeline(**(fields | words))
