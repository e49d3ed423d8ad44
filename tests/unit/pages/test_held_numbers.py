"""The numbers of a held day beside those of the days before it, as Airflow's Required Actions show them."""

from datetime import date
from decimal import Decimal

from daybook_airflow.held_numbers import table

TOTALS = {
    date(2013, 1, 7): {"row_count": Decimal(10), "dep_delay": Decimal(-4), "fees": Decimal("1200.50")},
    date(2013, 1, 6): {"row_count": Decimal(933), "fees": Decimal(7)},
}


def test_the_held_day_is_the_last_line_and_rows_are_the_first_column() -> None:
    assert table(TOTALS).splitlines() == [
        "| day | rows | dep\\_delay | fees |",
        "| --- | ---: | ---: | ---: |",
        "| 2013-01-06 Sun | 933 |  | 7 |",
        "| **2013-01-07 Mon** | **10** | **-4** | **1,200.50** |",
    ]
