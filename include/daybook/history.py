"""What the ledger knows of the days published before: what `summarize` holds a day against. Reads only.

Every function works in the transaction of the connection it gets.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

from daybook.rules.plausible import Totals


def is_begun(connection: psycopg.Connection[Any]) -> bool:
    """Say whether there is a ledger yet: before the first run there is none."""
    return connection.execute("select to_regclass('daybook.ledger')").fetchone() != (None,)


def nearest_days(connection: psycopg.Connection[Any], pipeline: str, day: date, count: int) -> dict[date, Totals]:
    """Give the totals of the published days nearest to a day, the day itself left out."""
    rows = connection.execute(
        "select published.day, totals from daybook.published join daybook.ledger using (run_id) "
        "where published.pipeline = %(pipeline)s and published.day <> %(day)s "
        "order by abs(published.day - %(day)s), published.day limit %(count)s",
        {"pipeline": pipeline, "day": day, "count": count},
    )
    return {near: {name: Decimal(total) for name, total in totals.items()} for near, totals in rows}


def day_with_facts(connection: psycopg.Connection[Any], pipeline: str, day: date, sha256: str) -> date | None:
    """Give another published day that was made from facts of the same bytes, or None."""
    row = connection.execute(
        "select published.day from daybook.published join daybook.ledger using (run_id) "
        "where published.pipeline = %s and published.day <> %s and facts_sha256 = %s order by 1 limit 1",
        [pipeline, day, sha256],
    ).fetchone()
    return row[0] if row else None
