"""The measures of published days side by side, as real runs leave them in ledger and warehouse."""

from datetime import date
from decimal import Decimal

import psycopg

from daybook.planning.compared import ROWS, compared, not_compared
from daybook.postgres.session import begin
from daybook.spec import Measure

from .conftest import Days

FIRST, SECOND, THIRD = (date(2013, 1, number) for number in (1, 2, 3))


def test_each_measure_of_the_day_is_that_of_the_readers_view(days: Days) -> None:
    pipeline = days.pipeline
    days.run("2013-01-01")
    # Measures that do not add up came later, and one of them only in a summary with groups.
    added = (
        Measure(name="carriers", how="distinct", of="carrier"),
        Measure(name="farthest", how="max", of="distance_mi"),
    )
    more = {"by_day": ("carriers",), "by_origin": ("farthest",)}
    summaries = tuple(
        one.model_copy(update={"columns": (*one.columns, *more.get(one.name, ()))}) for one in pipeline.summaries
    )
    days.change(measures=(*pipeline.measures, *added), summaries=summaries)
    for day in ("2013-01-02", "2013-01-03"):
        days.run(day)
    assert days.command("rollback", "2013-01-03", "--to", "nothing", "--why", "wrong", "--who", "ann")[0] == 0
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        begin(connection)
        found = compared(connection, days.pipeline, [FIRST, SECOND, THIRD])
        names = (*summaries[2].columns,)
        seen = connection.execute(f"select day, {', '.join(names)} from {pipeline.target.schema_}.by_day".encode())
        of_view = {day: dict(zip(names, values, strict=True)) for day, *values in seen.fetchall()}
    assert set(of_view) == {FIRST, SECOND}
    for name in names:
        assert found[name] == {day: Decimal(row[name]) for day, row in of_view.items() if row[name] is not None}, name
    assert set(found["carriers"]) == {SECOND}
    assert found[ROWS] == found["flights"]
    assert not_compared(days.pipeline, found) == ["farthest"]
