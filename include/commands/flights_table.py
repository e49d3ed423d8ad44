"""The demo's table: the published numbers of some days of flights, and how long their runs took."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from commands.output import draw
from daybook.environment import ledger_schema, schema_here
from deployment.errors import RunFailed

PUBLISHED = """
    SELECT by_day.day, flights, cancelled, mean_dep_delay_min, rows_refused
    FROM {by_day} by_day
    JOIN {published} published ON published.pipeline = 'flights' AND published.day = by_day.day
    JOIN {ledger} ledger USING (run_id)
    WHERE by_day.day = ANY(%s)
    ORDER BY by_day.day
"""
TITLES = ("day", "flights", "cancelled", "mean delay", "refused rows", "seconds")


def tell_flights(warehouse: str, seconds: Mapping[date, float]) -> None:
    """Draw the table of some days.

    warehouse: the connection string of a role that may read the ledger. seconds: the length of each day's run, by day.
    Raises RunFailed if one of the days is not published.
    """
    rows = _published(warehouse, list(seconds))
    if missing := [str(day) for day in seconds if day not in {row["day"] for row in rows}]:
        raise RunFailed(f"The runs ended well, but readers see no flights of {', '.join(missing)}.")
    draw(TITLES, [_cells(row, seconds[row["day"]]) for row in rows], is_number=True)


def _published(warehouse: str, days: Sequence[date]) -> list[dict[str, Any]]:
    with psycopg.connect(warehouse, row_factory=dict_row) as connection:
        return connection.execute(_query(), [list(days)]).fetchall()


def _query() -> sql.Composed:
    ledger = {table: sql.Identifier(ledger_schema(), table) for table in ("published", "ledger")}
    return sql.SQL(PUBLISHED).format(by_day=sql.Identifier(schema_here("flights"), "by_day"), **ledger)


def _cells(row: dict[str, Any], seconds: float) -> tuple[str, ...]:
    flights, cancelled, refused = (f"{row[name]:,}" for name in ("flights", "cancelled", "rows_refused"))
    return str(row["day"]), flights, cancelled, f"{row['mean_dep_delay_min']} min", refused, f"{seconds:.1f}"
