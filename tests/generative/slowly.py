"""A whole block read by the slow way alone, record by record: what the fast way is held to."""

from daybook.loader.layout import Layout, Parsed, kept_table, refused_table
from daybook.loader.records import Damage, RecordReader


def slow_block(data: bytes, layout: Layout, is_last: bool) -> Parsed:
    """Read a block that starts with a record; `is_last` says that the file ends with it."""
    read, records, blank, at, line = RecordReader(layout, is_last), [], 0, 0, 0
    damage = None
    try:
        while at < len(data) and (found := read(data, at, line)):
            end, record = found
            records.extend([record] if record else [])
            blank += record is None
            line += data.count(b"\n", at, end)
            at = end
    except Damage as error:
        damage = (data.count(b"\n", 0, error.at), str(error))
    return Parsed(kept_table(records, layout), refused_table(records), blank, line, at, damage)
