"""A pipeline's own function at the end of `clean`: called with a frame of the facts, and its result checked.

An error names the function, its file and line, and the column, but no value of a row.
"""

import inspect
import traceback
from typing import Any

import narwhals as nw
import pyarrow as pa

from daybook.errors import BadSpec
from daybook.rules.frames import open_as_it_is, ordered, rows_schema
from daybook.spec import Pipeline, clean_columns, takes_narwhals
from daybook.text import nearest


def transformed(facts: pa.Table, pipeline: Pipeline) -> pa.Table:
    """Return the facts as the pipeline's transform leaves them, with the columns that it adds, ordered by line.

    facts: clean rows with `line` and the derived columns. Raises BadSpec if the transform raises, or does not return
    what the spec declares.
    """
    schema = rows_schema(clean_columns(pipeline))
    given, columns = _called(facts, pipeline)
    if sorted(map(str, columns)) != sorted(schema.names):
        raise BadSpec(
            f"{_name(pipeline)} gave the columns {columns}; declared are {schema.names}; mend transform_gives or it"
        )
    kept = pa.table([_typed(given[field.name], field, pipeline) for field in schema], schema=schema)
    if len(set(kept["line"].to_pylist()) & set(facts["line"].to_pylist())) != kept.num_rows:
        raise BadSpec(
            f"{_name(pipeline)} gave rows that it did not get, or one twice; it may change, add to and drop rows"
        )
    return ordered(kept, ["line"])


def _called(facts: pa.Table, pipeline: Pipeline) -> tuple[Any, list[Any]]:
    """Return what the transform gives, as pandas or Arrow columns by name, and the names."""
    try:
        given = _with_narwhals(facts, pipeline) if takes_narwhals(pipeline.transform) else _with_pandas(facts, pipeline)
        return given, given.column_names if isinstance(given, pa.Table) else list(getattr(given, "columns", []))
    except Exception as error:
        # Its message may hold a value of a row, so only its kind and place are told.
        column = nearest(str(error.args[0]), facts.column_names) if isinstance(error, KeyError) and error.args else ""
        raise BadSpec(
            f"{_name(pipeline)} raised {type(error).__name__}{_place(error, pipeline)}; nothing was cleaned; mend it"
            f"{column.replace('did you mean', 'did you mean the column')}"
        ) from error


def _with_pandas(facts: pa.Table, pipeline: Pipeline) -> Any:
    import pandas

    frame = facts.to_pandas(types_mapper=pandas.ArrowDtype)
    return pipeline.transform(frame) if pipeline.transform else frame


def _with_narwhals(facts: pa.Table, pipeline: Pipeline) -> Any:
    frame = open_as_it_is(facts, pipeline.engine)
    # What is no frame has no columns, and is refused for that.
    given = nw.from_native(pipeline.transform(frame) if pipeline.transform else frame, pass_through=True)
    given = given.collect("pyarrow") if isinstance(given, nw.LazyFrame) else given
    return given.to_arrow() if isinstance(given, nw.DataFrame) else None


def _name(pipeline: Pipeline) -> str:
    function = pipeline.transform
    code = getattr(function, "__code__", None)
    where = f" ({code.co_filename.rpartition('/')[2]}, line {code.co_firstlineno})" if code else ""
    return f"{pipeline.name}: transform {getattr(function, '__name__', 'function')}{where}"


def _place(error: Exception, pipeline: Pipeline) -> str:
    """Return the line of the transform's own file in which an error arose, for a message."""
    file = inspect.getsourcefile(inspect.unwrap(pipeline.transform)) if pipeline.transform else None
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" in line {lines[-1]}" if lines else ""


def _typed(given: Any, field: pa.Field, pipeline: Pipeline) -> pa.ChunkedArray:
    try:
        kept, is_changed = _as_declared(given, field)
    except pa.ArrowException as error:
        raise BadSpec(
            f"{_name(pipeline)} gave a column of another kind than declared: {field.name!r} is {_kind(given)}, "
            f"{field.type} declared ({type(error).__name__}); mend transform_gives or it"
        ) from None
    if is_changed:
        raise BadSpec(
            f"{_name(pipeline)} gave in {field.name!r} values that the declared kind or scale would round or cut; "
            "nothing was cleaned; round them in it, or declare a finer scale in transform_gives"
        )
    return kept


def _as_declared(given: Any, field: pa.Field) -> tuple[pa.ChunkedArray, bool]:
    """Return a column in its declared type, and whether that changed values. Raises ArrowException if it cannot be."""
    if isinstance(given, pa.ChunkedArray):
        kept = given.cast(field.type)
        return kept, _is_changed(given, kept)
    kept = pa.Table.from_pandas(given.to_frame(), pa.schema([field]), preserve_index=False).column(0)
    return kept, _is_changed(pa.chunked_array([pa.array(given, from_pandas=True)]), kept)


def _kind(given: Any) -> Any:
    return given.type if isinstance(given, pa.ChunkedArray) else given.dtype


def _is_changed(before: pa.ChunkedArray, kept: pa.ChunkedArray) -> bool:
    """Return whether Arrow changed values of a column: it rounds floats, cuts times, and takes 5 for yes."""
    is_lossy = (
        (pa.types.is_floating(before.type) and pa.types.is_decimal(kept.type))
        or (pa.types.is_timestamp(before.type) and pa.types.is_date(kept.type))
        or (pa.types.is_boolean(kept.type) and (pa.types.is_integer(before.type) or pa.types.is_floating(before.type)))
    )
    return is_lossy and not kept.cast(before.type).equals(before)
