"""Flights out of New York in 2013: a CSV of flights a day, matched to airlines and planes, summed up for readers.

The file is kept as it comes: 19 columns, `NA` for nothing. Clock times are local, written as hhmm.
"""

from datetime import date

from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Ratio,
    Schedule,
    Summary,
    Table,
    Target,
    col,
    integer,
    text,
    timestamp,
)

ON_TIME_MIN = 15  # an arrival up to this many minutes after schedule is on time, as the US DOT counts it

AIRLINES = Table(
    name="airlines",
    connection="source_db",
    relation="public.airlines",
    columns=(text("carrier", is_required=True), text("name")),
    key=("carrier",),
)

PLANES = Table(
    name="planes",
    connection="source_db",
    relation="public.planes",
    columns=(text("tailnum", is_required=True), integer("seats", minimum=0)),
    key=("tailnum",),
)

FLIGHTS = File(
    name="flights",
    connection="ftp",
    path="flights/flights_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    null_tokens=("NA",),
    columns=(
        integer("year", is_required=True),
        integer("month", is_required=True),
        integer("day", "day_of_month", is_required=True),
        integer("dep_time", "dep_time_hhmm", minimum=1, maximum=2400),
        integer("sched_dep_time", "sched_dep_time_hhmm", is_required=True, minimum=0, maximum=2400),
        integer("dep_delay", "dep_delay_min"),
        integer("arr_time", "arr_time_hhmm", minimum=1, maximum=2400),
        integer("sched_arr_time", "sched_arr_time_hhmm", minimum=0, maximum=2400),
        integer("arr_delay", "arr_delay_min"),
        text("carrier", is_required=True),
        integer("flight", "flight_number", is_required=True),
        text("tailnum"),
        text("origin", is_required=True),
        text("dest", is_required=True),
        integer("air_time", "air_time_min", minimum=0),
        integer("distance", "distance_mi", is_required=True, minimum=0),
        integer("hour", "sched_dep_hour"),
        integer("minute", "sched_dep_minute"),
        timestamp("time_hour", "sched_dep_hour_at", format="%Y-%m-%dT%H:%M:%SZ"),
    ),
    key=("year", "month", "day_of_month", "carrier", "flight_number", "sched_dep_time_hhmm", "origin"),
)

SHARED = (
    "flights",
    "cancelled",
    "arrivals",
    "mean_dep_delay_min",
    "mean_arr_delay_min",
    "on_time_pct",
    "distance_mi",
)

PIPELINE = Pipeline(
    name="flights",
    description="Flights out of New York: delays, cancellations and distance by airline, by origin and by day",
    tables=(AIRLINES, PLANES),
    files=(FLIGHTS,),
    facts="flights",
    day_columns=("year", "month", "day_of_month"),
    derived={
        "is_cancelled": col("dep_time_hhmm").is_null(),
        "is_late": col("arr_delay_min") > ON_TIME_MIN,
        "is_on_time": col("arr_delay_min") <= ON_TIME_MIN,
    },
    lookups=(
        Lookup(source="airlines", key="carrier", gives={"name": "airline"}, when_unknown="refuse"),
        Lookup(
            source="planes",
            key="tailnum",
            gives={"seats": "seats"},
            when_unknown="keep",
            unknown_flag="is_plane_unknown",
        ),
    ),
    measures=(
        Measure(name="flights", how="count"),
        Measure(name="cancelled", how="count", where="is_cancelled"),
        Measure(name="departures", how="count", of="dep_delay_min"),
        Measure(name="arrivals", how="count", of="arr_delay_min"),
        Measure(name="dep_delay_total_min", how="sum", of="dep_delay_min"),
        Measure(name="arr_delay_total_min", how="sum", of="arr_delay_min"),
        Measure(name="on_time", how="count", where="is_on_time"),
        Measure(name="distance_mi", how="sum", of="distance_mi"),
        Measure(name="seats", how="sum", of="seats"),
        Measure(name="planes_unknown", how="count", where="is_plane_unknown"),
    ),
    ratios=(
        Ratio(name="mean_dep_delay_min", of="dep_delay_total_min", over="departures"),
        Ratio(name="mean_arr_delay_min", of="arr_delay_total_min", over="arrivals"),
        Ratio(name="on_time_pct", of="on_time", over="arrivals", times=100),
    ),
    summaries=(
        Summary(name="by_airline", by=("carrier", "airline"), columns=(*SHARED, "seats")),
        Summary(name="by_origin", by=("origin",), columns=SHARED),
        Summary(name="by_day", columns=(*SHARED, "planes_unknown")),
    ),
    target=Target(schema="flights"),
    schedule=Schedule(time_zone="America/New_York", start=date(2013, 1, 1), end=date(2013, 12, 31)),
)
