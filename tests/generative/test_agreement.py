"""What the loader promises of every file: the fast way says what the slow one says, and no record is lost.

The slow way is the authority (tests/unit/load/ holds it to the catalogue).
"""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.errors import BadData, BadSpec
from daybook.loader.fast import fast_block
from daybook.loader.header import first_look
from daybook.loader.layout import lines_of_refused
from daybook.loader.load import load
from daybook.loader.records import slow_block
from daybook.spec import File, boolean, day_date, decimal, integer, text, timestamp
from tests.generative.mutations import CONTRACTS, ODD, PATIENT, body, contract, head, joined, line, mutated
from tests.support.drawn import loaded, with_columns

RANDOMS = st.randoms(use_true_random=False)
SLOWLY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOWLY
@given(RANDOMS, st.booleans())
def test_the_fast_way_gives_what_the_slow_way_gives(random: Random, is_last: bool) -> None:
    header, source = contract(random)
    block = body(random, header, source)
    assert_agreement(block, header, source, is_last or not block.endswith(b"\n"))


@pytest.mark.parametrize(("header", "source"), CONTRACTS)
def test_also_for_each_odd_field_alone(header: str, source: File) -> None:
    lines = (line(Random(seed), header, source) for seed in range(1000))
    good = next(fields for fields in lines if all(fields[:1]) and is_kept(fields, header, source))
    for place in range(len(good)):
        for odd in ODD:
            fields = [*good[:place], odd, *good[place + 1 :]]
            block = "".join(joined(row, source) + "\n" for row in (fields, good))
            assert_agreement(block.encode(), header, source, is_last=True)


@pytest.mark.parametrize("seed", range(16))
def test_also_in_blocks_of_many_lines(seed: int) -> None:
    random = Random(seed)
    header, source = contract(random)
    block = b"".join(body(random, header, source) for _ in range(150))
    assert_agreement(block, header, source, is_last=True)


def is_kept(fields: list[str], header: str, source: File) -> bool:
    """Tell whether the slow way keeps a line."""
    layout, _ = first_look(head(header, source), source, "drawn")
    return len(slow_block(f"{joined(fields, source)}\n".encode(), layout, is_last=True).kept) == 1


ROW = "7,ann,1.50,2026-01-05,true,2026-01-05T10:00:00.000001"
MARKS = ['"', '"', '""', '",', ',"', '"\n', "\ufeff", "\x1a", ",", "\n"]


@SLOWLY
@given(
    st.lists(st.tuples(st.integers(0, 900), st.sampled_from(MARKS)), max_size=6),
    st.sampled_from([0, 1, 3, 50]),
    st.sampled_from([7, 100, 2**23]),
)
def test_also_for_good_rows_with_stray_quotes(
    strays: list[tuple[int, str]], field_line_ends: int, block_bytes: int
) -> None:
    header, source = CONTRACTS[0]
    block = f"{ROW}\n" * 16
    for place, mark in sorted(strays, reverse=True):
        block = block[:place] + mark + block[place:]
    limits = PATIENT.model_copy(update={"field_line_ends": field_line_ends})
    source = source.model_copy(update={"limits": limits})
    assert_agreement(block.encode(), header, source, is_last=True)
    file = f"{header}\n{block}".encode()
    assert outcome(file, source, block_bytes=block_bytes) == outcome(file, source)


LETTERS = st.text("019#|~\\';\x7f .-+ eExXNA,\"\n\r\t/:TZé\0\ufeff", max_size=8)


@SLOWLY
@given(st.lists(st.lists(LETTERS, min_size=1, max_size=4), max_size=6), RANDOMS)
def test_also_for_fields_that_nobody_thought_of(rows: list[list[str]], random: Random) -> None:
    header, source = contract(random)
    block = "".join(joined(row, source) + "\n" for row in rows).encode()
    assert_agreement(block, header, source, is_last=True)


def assert_agreement(block: bytes, header: str, source: File, is_last: bool) -> None:
    """Check that both ways make the same of a block, and that its lines add up."""
    layout, _ = first_look(head(header, source), source, "drawn")
    fast, slow = fast_block(block, layout, is_last), slow_block(block, layout, is_last)
    assert fast.kept.equals(slow.kept)
    assert fast.refused.equals(slow.refused)
    assert fast[2:] == slow[2:]
    if not slow.damage:
        assert slow.read_lines == slow.kept_lines + lines_of_refused(slow.refused) + slow.blank + slow.comments
    assert slow.used == len(block) or not is_last or slow.damage


@SLOWLY
@given(RANDOMS, st.sampled_from([1, 2, 5, 17, 100]), st.integers(1, 3))
def test_the_result_does_not_depend_on_how_the_file_is_cut(random: Random, block_bytes: int, threads: int) -> None:
    header, source = contract(random)
    file = head(header, source) + body(random, header, source)
    assert outcome(file, source, block_bytes=block_bytes, threads=threads) == outcome(file, source)


@SLOWLY
@given(RANDOMS, st.integers(1, 30))
def test_X2_a_damaged_file_is_loaded_or_refused_and_its_records_add_up(random: Random, changes: int) -> None:
    header, source = contract(random)
    file = mutated(random, head(header, source) + body(random, header, source) * 3, changes)
    found = outcome(file, source, block_bytes=64)
    if not isinstance(found, str):
        kept = {row["line"] for row in found.kept}
        refused = {line for line, _, _ in found.refused}
        assert len(kept) + len(refused) == len(found.kept) + len(found.refused)
        lines = file.removesuffix(b"\n").split(b"\n")
        # Every line that no quote goes over is one record.
        if b'"' not in file and not file.startswith(b"#"):
            assert len(kept) + len(refused) + found.blank + sum(found.skipped.values()) == len(lines) - len(
                head(header, source).splitlines()
            )


def outcome(file: bytes, source: File, **words: Any) -> Any:
    """Return what became of a file, or the message where it is refused as a whole."""
    try:
        return loaded(file, source, **words)
    except BadData as error:
        return str(error)


WRITTEN = with_columns(
    integer("i"),
    text("t"),
    decimal("d", digits=18, scale=4),
    day_date("day"),
    timestamp("at", format="%Y-%m-%d %H:%M:%S.%f"),
    boolean("b"),
    limits=PATIENT,
)
VALUES = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\t,"'), min_size=1, max_size=20),
    st.none() | st.decimals(-(10**13), 10**13, places=4),
    st.none() | st.dates(date(1000, 1, 1)),
    st.none() | st.datetimes(datetime(1000, 1, 1)),  # noqa: DTZ001 - written without a zone, read as UTC
    st.none() | st.booleans(),
)


@SLOWLY
@given(st.lists(VALUES, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_is_read_back(rows: list[tuple[Any, ...]], line_end: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=line_end)
    writer.writerow([column.header for column in WRITTEN.columns])
    writer.writerows([map(_written, row) for row in rows])
    result = loaded(file.getvalue().encode(), WRITTEN, block_bytes=50)
    assert result.refused == []
    assert [tuple(row.values())[1:] for row in result.kept] == [_read(row) for row in rows]


def _written(value: Any) -> Any:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value.date().isoformat()} {value.time().isoformat(timespec='microseconds')}"
    return value


def _read(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row)


@pytest.mark.parametrize("format", ["%Y", "%Y-%m-%d %d", "%Q-%Y%m%d", "%H:%M", "%"])
def test_a_format_that_does_not_tell_one_day_is_refused_by_the_spec(format: str) -> None:
    with pytest.raises(BadSpec, match="format"):
        day_date("day", format=format)


@pytest.mark.parametrize("step", [timedelta(hours=7, microseconds=123), timedelta(days=31), timedelta(days=365)])
def test_instants_and_days_of_all_years_are_read_alike(step: timedelta) -> None:
    moment, moments = datetime(1000, 1, 1, tzinfo=UTC), list[datetime]()
    while moment.year < 9990 and len(moments) < 5000:
        moments.append(moment)
        moment += step
    source = with_columns(day_date("day"), timestamp("at", format="%Y-%m-%dT%H:%M:%S.%f"))
    file = "day,at\n" + "".join(f"{moment:%Y-%m-%d,%Y-%m-%dT%H:%M:%S.%f}\n" for moment in moments)
    kept = next(iter(load(io.BytesIO(file.encode()), source))).kept
    assert kept["at"].to_pylist() == moments
    assert kept["day"].to_pylist() == [moment.date() for moment in moments]
