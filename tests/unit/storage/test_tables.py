"""What a step hands over in Parquet, the next one reads as it was written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pyarrow as pa

from daybook.storage.tables import hand_over, parquet_batches

INSTANTS = [datetime(1, 1, 1, tzinfo=UTC), None, datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
AMOUNTS = [Decimal("-9999999999999999.99"), None, Decimal("9999999999999999.99")]
# Names are those of a file's header, so they may be anything.
ROWS = pa.table(
    {
        "a.b": pa.array([-(2**63), None, 2**63 - 1]),
        "": pa.array(["", None, "\N{SNOWMAN}"]),
        'x"y': pa.array([b"\x00", None, b""]),
        "day": pa.array([date(1, 1, 1), None, date(9999, 12, 31)]),
        "at": pa.array(INSTANTS, pa.timestamp("us", "UTC")),
        "is": pa.array([True, None, False]),
        "short": pa.array(AMOUNTS, pa.decimal128(18, 2)),
        "long": pa.array([Decimal(10**37), None, Decimal(-(10**37))], pa.decimal128(38, 0)),
        "none": pa.nulls(3, pa.int64()),
    }
)


def handed_over(*batches: pa.Table, schema: pa.Schema | None = None) -> bytes:
    """Return the file of some batches. schema: that of the first one, without a word."""
    file = BytesIO()
    with hand_over(file, schema or batches[0].schema) as write:
        for batch in batches:
            write(batch)
    return file.getvalue()


def test_every_kind_of_value_under_any_name_is_read_as_it_was_written() -> None:
    for columns in (ROWS.column_names, [""], ["a.b"], ["is"]):
        rows = ROWS.select(columns)
        (found,) = parquet_batches(BytesIO(handed_over(rows, rows.slice(0, 0), rows)))
        assert found.equals(pa.concat_tables([rows, rows]))


def test_equal_rows_give_equal_bytes() -> None:
    assert handed_over(ROWS, ROWS) == handed_over(ROWS.take(pa.array([0, 1, 2])), ROWS)


def test_texts_that_come_again_and_again_are_read_as_codes_and_others_as_texts_however_they_were_written() -> None:
    texts = pa.table({"few": ["Bilbao", None, "Vigo", "Bilbao"] * 500, "all": [f"sale {n}" for n in range(2000)]})
    codes = texts.set_column(0, "few", texts["few"].dictionary_encode())
    for first, second in ((texts, codes), (codes, texts)):
        (found,) = parquet_batches(BytesIO(handed_over(first, second, schema=texts.schema)))
        assert found["few"].type == pa.dictionary(pa.int32(), pa.string())
        assert found["few"].cast(pa.string()).equals(pa.concat_tables([texts, texts])["few"])
        assert found["all"].equals(pa.concat_tables([texts, texts])["all"])
