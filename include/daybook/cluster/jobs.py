"""Spark jobs: something done with each part of a table on the workers, and tables of the parts as one frame.

What a worker cannot do for a reason that a person can mend is that person's to know, at once: such an error comes back
as a result, so that Spark does not try it again, and is raised here. What happens to a worker is Spark's to mend: it
gives the part to another one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import narwhals as nw
import pyarrow as pa

from daybook.cluster.session import VARIABLE, check_installed, master, session
from daybook.errors import DaybookError, SourceUnavailable

TASKS_OF_A_CORE = 2
P = TypeVar("P")
R = TypeVar("R")


def of_each(parts: Sequence[P], do: Callable[[P], R]) -> list[R]:
    """Do something with each part on a worker; return the results, in the order of the parts.

    do: a function of ours, or a `partial` of one; it may run several times for a part. Raises the DaybookError that the
    first part raised; SourceUnavailable if the cluster gives up.
    """
    with giving_up():
        found = session().sparkContext.parallelize(parts, len(parts)).map(partial(_guarded, do)).collect()
    for one in found:
        if isinstance(one, DaybookError):
            raise one
    return cast(list[R], found)


def frame_of(parts: Sequence[P], read: Callable[[P], Iterator[pa.Table]], schema: pa.Schema) -> nw.LazyFrame[Any]:
    """Return the tables of all parts as one frame of Spark's, read by the workers. schema: of each table.

    Raises SourceUnavailable if the cluster is gone.
    """

    def tables(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number in (number for batch in numbers for number in batch.column(0).to_pylist()):
            for table in read(parts[number]):
                yield from table.select(schema.names).cast(schema).to_batches()

    with giving_up():
        cluster = session()
        # Each task has a price, and nothing is lost if one dies: a worker reads several parts one after the other.
        tasks = min(len(parts), TASKS_OF_A_CORE * cluster.sparkContext.defaultParallelism)
        numbers = cluster.range(0, len(parts), 1, tasks)
    frame: nw.LazyFrame[Any] = nw.from_native(numbers.mapInArrow(tables, ", ".join(map(_declared, schema))))
    return frame


def collected(frame: nw.LazyFrame[Any]) -> pa.Table:
    """Run a frame; return its rows. Raises SourceUnavailable if the cluster gives up."""
    with giving_up():
        return frame.collect("pyarrow").to_native()


def _guarded(do: Callable[[P], R], part: P) -> R | DaybookError:
    try:
        return do(part)
    except DaybookError as error:
        return error


_TYPES = {pa.int64(): "bigint", pa.string(): "string", pa.date32(): "date", pa.bool_(): "boolean"}


def _declared(field: pa.Field) -> str:
    kind = "timestamp" if pa.types.is_timestamp(field.type) else _TYPES[field.type]
    return f"`{field.name}` {kind}"


@contextmanager
def giving_up() -> Iterator[None]:
    """Translate the end of a job into SourceUnavailable: Spark gave up on it, or is gone."""
    check_installed()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException, ConnectionError) as error:
        # An error of Python's on a worker is a bug, and shows its traceback.
        if "Traceback (most recent call last)" in str(error):
            raise
        raise SourceUnavailable(
            f"{VARIABLE}={master()}: Spark gave up ({type(error).__name__}: {_reason(error)}); nothing was published; "
            "look at its workers; the step is done again from its beginning"
        ) from error


def _reason(error: Exception) -> str:
    lines = str(getattr(error, "java_exception", None) or error).splitlines()
    return lines[0] if lines else "no reason told"
