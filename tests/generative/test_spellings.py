"""How values are written, word by word: the fast way reads each spelling as the slow one does, and both read it right.

Columns with any words that go together, and texts that are near what they declare.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.errors import BadSpec
from daybook.loader.clock_changes import changes_of
from daybook.loader.columns import parsed_column
from daybook.loader.values import Unfit, reader
from daybook.spec import Column, arrow_type, clock_time, day_date, decimal, integer, timestamp
from daybook.spec.format import directives

# Each choice of a random number is an input of its own, so that even a short column counts as a large example.
LARGE = [HealthCheck.too_slow, HealthCheck.large_base_example]
OFTEN = settings(max_examples=400, deadline=None, suppress_health_check=LARGE)
RANDOMS = st.randoms(use_true_random=False)
TOKENS = ("NA", "-9", "")


def assert_alike(column: Column, texts: list[str | None]) -> None:
    """Check that a column of texts is read by the fast way as the slow way reads each of them."""
    read, values, are_unfit = reader(column, TOKENS), list[Any](), list[bool]()
    for text in texts:
        try:
            values.append(None if text is None else read(text, True))
            are_unfit.append(False)
        except Unfit:
            values.append(None)
            are_unfit.append(True)
    parsed = parsed_column(pa.array(texts, pa.string()), column, TOKENS)
    assert parsed.are_unfit.tolist() == are_unfit, list(zip(texts, are_unfit, parsed.are_unfit.tolist(), strict=True))
    kept = [value for value, is_unfit in zip(parsed.values.to_pylist(), are_unfit, strict=True) if not is_unfit]
    assert kept == [v for v, is_unfit in zip(values, are_unfit, strict=True) if not is_unfit], texts
    assert parsed.values.type == arrow_type(column)


MARKS = [None, ".", ",", "'", "\u2019", " ", "\u00a0", "\u202f", "_"]


def number_column(random: Random) -> Column:
    """Return a column of numbers with any words that go together."""
    some: dict[str, Any] = {
        "decimal_mark": random.choice([None, None, ",", "."]),
        "thousands_mark": random.choice(MARKS),
        "units": random.choice([None, None, ("€", "EUR", "E"), ("Rs.", "R", "R$")]),
        "negatives": random.choice([None, ("trailing",), ("parentheses",), ("parentheses", "trailing")]),
        "extra_zeros": random.choice(["refuse", "ignore"]),
    }
    if random.random() < 0.3:
        return integer("n", **some)
    some["percent"] = random.choice([None, None, "divide", "keep"])
    some["bare_points"] = random.choice([None, "read", "refuse"])
    some["exponents"] = random.choice([None, "read"])
    return decimal("n", digits=random.choice([6, 18]), scale=random.choice([2, 4]), **some)


def fitting(random: Random) -> Column:
    """Return a column of numbers whose words do not contradict each other."""
    while True:
        column = number_column(random)
        if column.thousands_mark != (column.decimal_mark or "."):
            return column


def number(random: Random, column: Column) -> str | None:
    """Return a number near a column's spelling, or nothing."""
    if random.random() < 0.05:
        return random.choice([None, "", "NA", "-9", "-", "%", "()", ".", "\u0661"])
    whole = str(random.choice([0, 7, 12, 123, 1234, 12345, 1234567, 10**17]))
    if column.thousands_mark and random.random() < 0.7:
        whole = f"{int(whole):,}".replace(",", column.thousands_mark)
    part = random.choice(["", "5", "50", "05", "500", "1234", "120000", "000"])
    text = whole + (column.decimal_mark or ".") + part if part else whole
    if random.random() < 0.15:
        text += random.choice(["e2", "E-2", "e+05", "e-5", "e", "e123", "E1.5", "e0", "e-02"])
    unit = random.choice([*(column.units or ["€"]), "%" if column.percent else ""])
    blank = random.choice(["", "", " ", "\u00a0", "\u202f ", "  "])
    if random.random() < (0.9 if column.percent == "divide" else 0.4):
        text = random.choice([text + blank + unit, unit + blank + text])
    text = random.choice(["{}", "{}", "{}", "-{}", "+{}", "{}-", "({})", "-{}-", "(-{})", "({}", "{})"]).format(text)
    if random.random() < 0.1:
        text = random.choice([unit, blank]) + text
    return mutated(random, text) if random.random() < 0.3 else text


def mutated(random: Random, text: str) -> str:
    """Return a text with one sign put in, changed, or taken away."""
    place = random.randrange(len(text) + 1)
    sign = random.choice(
        ["", "0", "5", ".", ",", "'", " ", "-", "+", "(", ")", "e", "%", "€", "\u00a0", "_", "x", "\0"]
    )
    return text[:place] + sign + text[place + random.choice([0, 1]) :]


@OFTEN
@given(RANDOMS)
def test_numbers_of_any_spelling_are_read_alike_by_both_ways(random: Random) -> None:
    column = fitting(random)
    assert_alike(column, [number(random, column) for _ in range(random.choice([1, 3, 60]))])


@OFTEN
@given(RANDOMS, st.lists(st.text("0159.,'-+()eE%€ \u00a0\u202fRs", max_size=9), max_size=8))
def test_so_are_texts_that_nobody_thought_of(random: Random, texts: list[str]) -> None:
    assert_alike(fitting(random), list(texts))


@OFTEN
@given(RANDOMS, st.lists(st.decimals(-(10**13), 10**13, places=4), min_size=1, max_size=20))
def test_a_number_that_was_written_as_declared_is_read_back(random: Random, numbers: list[Decimal]) -> None:
    point, mark = random.choice([(".", ","), (",", "."), (",", "\u202f"), (",", "'"), (".", "_"), (".", " ")])
    column = decimal(
        "n", digits=18, scale=4, decimal_mark=point, thousands_mark=mark, negatives=("trailing", "parentheses")
    )
    frames = ["{}-", "({})"]
    texts = [f"{abs(n):,.4f}".replace(",", "\0").replace(".", point).replace("\0", mark) for n in numbers]
    texts = [random.choice(frames).format(text) if n < 0 else text for text, n in zip(texts, numbers, strict=True)]
    parsed = parsed_column(pa.array(texts), column, ())
    assert parsed.values.to_pylist() == numbers
    assert not parsed.are_unfit.any()


DATES = [
    "%-m/%-d/%Y",
    "%d.%m.%y",
    "%-d-%b-%y",
    "%d %B %Y",
    "%Y-%j",
    "%Y-%m",
    "%b %y",
    "excel",
    "unix",
    "unix_ms",
    "%Y-%m-%dT%H:%M:%S%z",
]
INSTANTS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%-d.%-m.%Y %-H:%M",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d-%b-%y %I.%M.%S.%f %p",
    "%m/%d/%Y %I:%M %p",
    "%b %d %Y %H:%M:%S,%f",
    "%H:%M%z %d.%m.%Y",
    "%Y-%m-%dT%H:%M:%S%z (UTC)",
    "%Y%m%d%H%M%S%f",
    "excel",
    "unix",
    "unix_ms",
]
ZONES = ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]
# Of each: what stands in a text for a directive.
WRITTEN = {
    "Y": ["2024", "2023", "1999", "1000", "0999", "9999"],
    "y": ["24", "69", "68", "00", "99"],
    "m": ["01", "02", "03", "10", "12", "00", "13"],
    "d": ["01", "09", "29", "31", "00", "32"],
    "j": ["001", "060", "366", "000", "367"],
    "H": ["00", "02", "01", "23", "24"],
    "I": ["01", "12", "00", "13"],
    "p": ["AM", "pm", "Pm", "A.M.", "XM"],
    "M": ["00", "30", "59", "60"],
    "S": ["00", "59", "60"],
    "f": ["0", "123", "123456", "000000", "123456789", "0000001"],
    "b": ["Jan", "MAR", "oct", "MÄR", "Sept", "May"],
    "B": ["January", "MARCH", "october", "Mar", "May", "Septembre"],
    "z": ["Z", "+00", "+0200", "-03:30", "+24", "+02:60", "+2", "z", "+02:", "Z-", "-+02"],
}
NUMBERED = ["45356", "45356.604166666667", "45356.9999999999", "60", "61", "2958465", "2958465.99999999999", "0"]
NUMBERED += [
    "1709632800",
    "-1709632800.5",
    "1709632800.123456789",
    "1709632800123",
    "999999999999999",
    "-1",
    "1.",
    ".5",
]


def moment_column(random: Random) -> Column:
    """Return a column of dates or instants with any words that go together."""
    while True:
        try:
            return _moment_column(random)
        except BadSpec:
            continue


def _moment_column(random: Random) -> Column:
    words: dict[str, Any] = {"decimal_mark": random.choice([None, ","])}
    if random.random() < 0.3:
        words["pivot_year"] = random.choice([1930, 1969, 2000])
    if random.random() < 0.4:
        format = random.choice(DATES)
        missing = None if "d" in format or "j" in format else random.choice(["first", "last"])
        return day_date("m", format=format, missing_day=missing if "%" in format else None, **words)
    for word, values in {
        "hour_24": ["next_day"],
        "missing_fraction": ["zero"],
        "long_fraction": ["cut", "refuse"],
    }.items():
        words[word] = random.choice([None, *values])
    if random.random() < 0.6:
        words["time_zone"] = random.choice(ZONES)
        words["repeated_hour"] = random.choice([None, "refuse", "first", "second"])
        words["skipped_hour"] = random.choice([None, "refuse", "shift"])
    return timestamp("m", format=random.choice(INSTANTS), **words)


@OFTEN
@given(RANDOMS)
def test_clock_times_are_read_alike_by_both_ways(random: Random) -> None:
    format = random.choice(["%H:%M", "%H:%M:%S", "%-H.%M", "%H%M", "%I:%M %p", "%-I%p", "%-H h %-M"])
    column = clock_time("t", format=format, hour_24=random.choice([None, "next_day"]) if "H" in format else None)
    assert_alike(column, [moment_text(random, column) for _ in range(random.choice([1, 3, 60]))])


def moment_text(random: Random, column: Column) -> str | None:
    """Return a text near a column's format, or nothing."""
    format = column.format or ""
    if random.random() < 0.05:
        return random.choice([None, "", "NA", "-9"])
    if "%" not in format:
        text = random.choice(NUMBERED).replace(".", column.decimal_mark or ".")
        return mutated(random, text) if random.random() < 0.2 else text
    text = ""
    for part in directives(format):
        written = part[-1] if not part.startswith("%") else random.choice(WRITTEN[part[-1]][: random.choice([2, 3, 9])])
        text += written.lstrip("0") or "0" if part.startswith("%-") and random.random() < 0.7 else written
    if "." in text and random.random() < 0.2:
        text = text.rpartition(".")[0]
    return mutated(random, text) if random.random() < 0.1 else text


@OFTEN
@given(RANDOMS)
def test_dates_and_instants_of_any_spelling_are_read_alike_by_both_ways(random: Random) -> None:
    column = moment_column(random)
    assert_alike(column, [moment_text(random, column) for _ in range(random.choice([1, 3, 60]))])


@OFTEN
@given(st.sampled_from(ZONES), st.integers(1950, 2040), RANDOMS)
def test_local_times_near_the_changes_of_the_clock_are_read_alike(zone: str, year: int, random: Random) -> None:
    """Each change of the clock of a year, by the quarter of an hour, with each meaning of its hours."""
    near = [change.at for change in changes_of(zone, year)] or [int(datetime(year, 1, 1, tzinfo=UTC).timestamp())]
    moments = [datetime.fromtimestamp(random.choice(near), UTC) + timedelta(minutes=15 * n) for n in range(-40, 80)]
    texts = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in moments]
    repeated, skipped = random.choice(["refuse", "first", "second"]), random.choice(["refuse", "shift"])
    assert_alike(timestamp("m", time_zone=zone, repeated_hour=repeated, skipped_hour=skipped), list(texts))
