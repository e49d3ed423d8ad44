"""What a step's result rests on: the bytes it reads, its part of the spec, its code, and the libraries it runs on.

Equal fingerprints give equal outputs, so a step whose fingerprint was seen on this day returns the earlier output.
Each part is kept apart, so that a plan can say which of them changed.
"""

import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Any

from daybook import code
from daybook.code import digest
from daybook.rules.aggregate import group_columns
from daybook.spec import Column, Pipeline, Source, Value, fact_columns

# The steps whose result is a function of what is hashed here. `save` and `deploy` act on the world instead.
STEPS = ("extract_tables", "extract_files", "load", "clean", "index", "aggregate", "summarize")
# Which earlier steps' files a step reads.
READS = {
    "extract_tables": (),
    "extract_files": (),
    "load": ("extract_tables", "extract_files"),
    "clean": ("extract_tables", "extract_files", "load"),
    "index": ("extract_tables", "extract_files", "clean"),
    "aggregate": ("index",),
    "summarize": ("aggregate",),
}


class Fingerprint(Value):
    """The four parts; each is a hash, but the libraries, which are names and versions."""

    inputs: str
    spec: str
    code: str
    libraries: str

    @property
    def key(self) -> str:
        """Give the one hash of all parts."""
        return digest(self.model_dump())

    def with_inputs(self, inputs: dict[str, str]) -> "Fingerprint":
        """Give the fingerprint of the same step over inputs: the hash of each file that it reads, by "step/name"."""
        return self.model_copy(update={"inputs": digest(inputs)})


def fingerprint(step: str, pipeline: Pipeline) -> Fingerprint:
    """Give the fingerprint of a step that reads nothing; `with_inputs` gives that of one that does."""
    return Fingerprint(
        inputs=digest({}),
        spec=spec_of(step, pipeline),
        code=code_of(step),
        libraries=libraries_of(step, pipeline),
    )


def spec_of(step: str, pipeline: Pipeline) -> str:
    """Give the hash of the part of the spec that a step uses."""
    return digest(_PARTS[step](pipeline))


def changed_part(step: str, was: Fingerprint | None, now: Fingerprint) -> str | None:
    """Give the part of a step's fingerprint that would be another one now, its inputs apart; None where none would."""
    # How bytes are fetched does not change them: for the extracts, only what is asked for counts.
    parts = ("spec", "code", "libraries") if READS[step] else ("spec",)
    return next((part for part in parts if was is None or getattr(was, part) != getattr(now, part)), None)


def code_of(step: str) -> str:
    """Return the hash of a step's function and of every definition of ours that it reaches."""
    return code.code_of("daybook.steps", step)


def libraries_of(step: str, pipeline: Pipeline) -> str:
    """Give the libraries that can change a step's result, with their versions, and Python's own."""
    frames = ["pyarrow"] if step in ("load", "extract_tables", "extract_files") else _frame_libraries(pipeline)
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return ", ".join([python, *(f"{name} {version_of(name)}" for name in frames)])


# Each look reads files of the library; what runs is what was imported, once in a process.
version_of = cache(version)


def _frame_libraries(pipeline: Pipeline) -> list[str]:
    with_transform = ["pandas"] if pipeline.transform else []
    return sorted({"narwhals", "pyarrow", pipeline.engine, *with_transform})


_TYPING = {"header", "kind", "digits", "scale", "format", "true_tokens", "false_tokens", "null_tokens"}


def _typing(source: Source) -> Any:
    words = source.model_dump(exclude={"columns", "connection"})
    return words | {"columns": [column.model_dump(include=_TYPING) for column in source.columns]}


def _clean_part(pipeline: Pipeline) -> Any:
    words = {"sources", "facts", "day_columns", "derived", "transform_gives", "engine"}
    sources = [source.model_dump() for source in pipeline.sources]
    transform = pipeline.transform and code.code_of_function(pipeline.transform)
    return [pipeline.model_dump(include=words), sources, transform]


def _columns(pipeline: Pipeline) -> list[Any]:
    return [_kind(column) for column in fact_columns(pipeline).values()]


def _kind(column: Column) -> Any:
    return column.model_dump(include={"name", "kind", "digits", "scale"})


_PARTS: dict[str, Callable[[Pipeline], Any]] = {
    "extract_tables": lambda pipeline: [table.model_dump() for table in pipeline.tables],
    "extract_files": lambda pipeline: [file.model_dump(exclude={"columns", "key"}) for file in pipeline.files],
    "load": lambda pipeline: [_typing(source) for source in pipeline.sources],
    "clean": _clean_part,
    "index": lambda p: [p.model_dump(include={"lookups", "facts", "engine"}), p.source(p.facts).key, _columns(p)],
    "aggregate": lambda p: [p.model_dump(include={"measures", "engine"}), group_columns(p), _columns(p)],
    "summarize": lambda p: p.model_dump(include={"measures", "ratios", "summaries", "engine", "plausible"}),
}
