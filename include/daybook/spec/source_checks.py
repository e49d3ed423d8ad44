"""What is wrong with a source of a pipeline: its columns' names, its key, and words that only the facts have."""

from collections.abc import Iterator

from daybook.spec.parts import RESERVED
from daybook.spec.source import Source
from daybook.spec.value import twice, unknown


def source_problems(source: Source, *, is_facts: bool) -> Iterator[str]:
    """Yield what is wrong with a source, one line a problem."""
    names = [column.name for column in source.columns]
    yield from twice(f"{source.name}.columns", names)
    yield from twice(f"{source.name}.columns (headers)", [column.header for column in source.columns])
    taken = [name for name in dict.fromkeys(names) if name in RESERVED]
    yield from (
        f"{source.name}.columns: {name!r} is a word of Daybook's own; give the column another name here: "
        f"text({name!r}, '{name}_of_file')"
        for name in taken
    )
    for number, name in enumerate(source.key):
        yield from unknown(f"{source.name}.key[{number}]", name, names, "column")
    if source.has_other_days and not is_facts:
        yield f"{source.name}.has_other_days: True is refused: only the facts have a day"
