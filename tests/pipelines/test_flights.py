"""The shipped pipeline on a day of five flights: an example of a pipeline's test (docs/testing.md)."""

from collections.abc import Callable
from datetime import date

from daybook.spec import Pipeline
from daybook.testing import PipelineChecks, Sample, Trial
from pipelines.flights import PIPELINE

# A flight in time, one that is late, one of a plane that nobody knows, one that was cancelled, and one of an airline
# that nobody knows.
FLIGHTS = b"""\
year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,\
air_time,distance,hour,minute,time_hour
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,533,529,4,850,830,20,UA,1714,N24211,LGA,IAH,227,1416,5,29,2013-01-01T10:00:00Z
2013,1,1,542,540,2,823,850,-27,AA,1141,N619AA,JFK,MIA,160,1089,5,40,2013-01-01T10:00:00Z
2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z
2013,1,1,544,545,-1,1004,1022,-18,ZZ,725,N804JB,JFK,BQN,183,1576,5,45,2013-01-01T10:00:00Z
"""
SAMPLE = Sample(
    day=date(2013, 1, 1),
    files={"flights/flights_2013-01-01.csv": FLIGHTS},
    tables={
        "airlines": "carrier,name\nUA,United Air Lines Inc.\nAA,American Airlines Inc.\nEV,ExpressJet Airlines Inc.\n",
        "planes": "tailnum,seats\nN14228,149\nN24211,149\nN18120,55\n",
    },
)


class TestFlights(PipelineChecks):
    pipeline = PIPELINE
    sample = SAMPLE


def test_the_numbers_of_a_day(trial_of: Callable[[Pipeline, Sample], Trial]) -> None:
    published = trial_of(PIPELINE, SAMPLE).run(SAMPLE.day, why="five flights are fewer than on any day")
    assert published.rows("by_day") == [
        {
            "day": "2013-01-01",
            "flights": "4",
            "cancelled": "1",
            "arrivals": "3",
            "mean_dep_delay_min": "2.67",
            "mean_arr_delay_min": "1.33",
            "on_time_pct": "66.67",
            "distance_mi": "4321",
            "planes_unknown": "1",
        }
    ]
    assert [(row["carrier"], row["airline"], row["seats"]) for row in published.rows("by_airline")] == [
        ("AA", "American Airlines Inc.", "0"),
        ("EV", "ExpressJet Airlines Inc.", "55"),
        ("UA", "United Air Lines Inc.", "298"),
    ]
    (refused,) = published.refused
    assert (refused.step, refused.line, refused.column, refused.reason) == (
        "index",
        6,
        "carrier",
        "unknown_in_airlines",
    )
