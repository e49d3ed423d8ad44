"""A whole block read by the slow way alone, record by record: what the fast way is held to."""

from daybook.loader.fields import Damage
from daybook.loader.layout import Layout, Parsed, kept_lines_of, kept_table, refused_table
from daybook.loader.records import RecordReader


def slow_block(data: bytes, layout: Layout, is_last: bool) -> Parsed:
    """Read a block that starts with a record; `is_last` says that the file ends with it."""
    read, records, blank, at, line = RecordReader(layout, is_last), [], 0, 0, 0
    damage = None
    try:
        while at < len(data) and (found := read(data, at, line)):
            records.extend(found.records)
            blank += found.blank
            line += data.count(b"\n", at, found.end)
            at = found.end
    except Damage as error:
        damage = (data.count(b"\n", 0, error.at), str(error))
    tail = data[data.rfind(b"\n") + 1 :]
    read_lines = line + (at == len(data) and bool(tail.strip(b"\x1a")))
    kept_lines = kept_lines_of(records)
    return Parsed(kept_table(records, layout), refused_table(records), blank, line, at, read_lines, kept_lines, damage)
