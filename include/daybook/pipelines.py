"""The pipelines: the modules of include/pipelines, loaded one by one, so a broken one does not hurt the others."""

import contextlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import threading
import traceback
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from daybook.environment import environment, schema_here
from daybook.errors import BadSpec, DaybookError
from daybook.spec import Pipeline, Target, nearest
from daybook.text import one_line

PACKAGE = "pipelines"
# A server answers several requests at once, and modules are loaded by one of them.
_LOADING = threading.Lock()


class Pipelines(NamedTuple):
    """The pipelines that load, by name; and the problem of each module that does not, by its file."""

    good: dict[str, Pipeline]
    broken: dict[str, str]

    def named(self, name: str) -> Pipeline:
        """Return the pipeline of that name. Raises BadSpec, with the nearest right name, if there is none."""
        if name in self.good:
            return self.good[name]
        there_are = f"there are {', '.join(self.good)}" if self.good else "there is none"
        raise BadSpec(f"{name}: no such pipeline{nearest(name, self.good)}; {there_are}{self.warning}")

    def check(self) -> None:
        """Raise BadSpec with the file, the word and the reason of every module that does not load."""
        if self.broken:
            raise BadSpec("\n".join(f"{file}: {reason}" for file, reason in self.broken.items()))

    @property
    def warning(self) -> str:
        """Return the end of any message about pipelines: the broken modules; "" if there is none."""
        return "".join(f"; {file} is broken: {reason}" for file, reason in self.broken.items())


class FileState(NamedTuple):
    """A file's name and what changes when somebody writes it."""

    name: str
    changed_ns: int
    size: int


@cache
def load_pipelines() -> Pipelines:
    """Load every module of include/pipelines, once per process. Raises nothing: problems are in `broken`."""
    return pipelines_in(PACKAGE)


def pipelines_now() -> Pipelines:
    """Return the pipelines as their files are now, for a process that lives on while they change, such as a server.

    It loads them again if a file of include/pipelines is new, gone or changed, and else only looks at the files' times.
    Raises nothing: problems are in `broken`.
    """
    with _LOADING:
        return _loaded_as_of(_state_of_files())


@lru_cache(maxsize=1)
def _loaded_as_of(_state: tuple[FileState, ...]) -> Pipelines:
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return pipelines_in(PACKAGE)


def _state_of_files() -> tuple[FileState, ...]:
    found = importlib.util.find_spec(PACKAGE)
    files = [file for place in (found and found.submodule_search_locations) or [] for file in Path(place).rglob("*.py")]
    return tuple(FileState(str(file), stat.st_mtime_ns, stat.st_size) for file, stat in _stats(files))


def _stats(files: list[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for file in sorted(files):
        # A file may be gone since it was listed.
        with contextlib.suppress(OSError):
            yield file, file.stat()


def pipelines_in(package: str) -> Pipelines:
    """Load every module of a package. Raises nothing: problems are in `broken`."""
    loaded: dict[str, Pipeline] = {}
    broken: dict[str, str] = {}
    for module in _modules(package):
        file = f"include/{package}/{module}.py"
        try:
            loaded[file] = _pipeline_of(package, module)
        except BadSpec as error:
            broken[file] = str(error)
    broken |= _clashes(loaded)
    return Pipelines({pipeline.name: pipeline for file, pipeline in loaded.items() if file not in broken}, broken)


def _clashes(loaded: dict[str, Pipeline]) -> dict[str, str]:
    """Return the problem of each module that shares its name or target schema with another, by file."""
    clashes: dict[str, str] = {}
    for file, pipeline in loaded.items():
        others = {other: known for other, known in loaded.items() if other != file}
        if same := [other for other, known in others.items() if known.name == pipeline.name]:
            clashes[file] = f"its name {pipeline.name!r} is also that of {', '.join(same)}; give each a name of its own"
        elif same := [other for other, known in others.items() if _shared(pipeline, known)]:
            schema = _shared(pipeline, others[same[0]])[0].schema_
            clashes[file] = f"its target schema {schema!r} is also that of {', '.join(same)}; give each one of its own"
        elif same := _with_old_name(pipeline, others):
            clashes[file] = _taken_name(pipeline, same)
    return clashes


def _shared(pipeline: Pipeline, other: Pipeline) -> list[Target]:
    return [target for target in (pipeline.target, *pipeline.also) if target in (other.target, *other.also)]


def _with_old_name(pipeline: Pipeline, others: dict[str, Pipeline]) -> list[str]:
    was = pipeline.renamed_from
    return [other for other, known in others.items() if was and was in (known.name, known.renamed_from)]


def _taken_name(pipeline: Pipeline, others: list[str]) -> str:
    return (
        f"renamed_from={pipeline.renamed_from!r} is also a name in {', '.join(others)}; a pipeline that is renamed is "
        "not there any more: remove the old module, or take the word out if the rename is done"
    )


def _modules(package: str) -> list[str]:
    found = importlib.util.find_spec(package)
    places = found.submodule_search_locations if found else None
    names = sorted(module.name for module in pkgutil.iter_modules(places or []))
    return [name for name in names if not name.startswith("_")]


def _pipeline_of(package: str, module: str) -> Pipeline:
    try:
        found = getattr(importlib.import_module(f"{package}.{module}"), "PIPELINE", None)
    except DaybookError as error:
        raise BadSpec(str(error)) from None
    except Exception as error:
        # A user's module may raise anything; it is only one module that does not load.
        raise BadSpec(_problem(module, error)) from error
    if not isinstance(found, Pipeline):
        what = "is missing" if found is None else f"is a {type(found).__name__}"
        raise BadSpec(f"PIPELINE {what}; expected a Pipeline; name it so, or begin the module's name with `_`")
    return _here(found)


def _here(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline as this environment has it: its target schemas have other names outside production."""
    target, *also = (
        Target(connection=one.connection, schema=schema_here(one.schema_)) for one in (pipeline.target, *pipeline.also)
    )
    return pipeline.model_copy(update={"target": target, "also": tuple(also)}) if environment() else pipeline


def _problem(module: str, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return one_line(f"line {error.lineno}: {type(error).__name__}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.endswith(f"/{module}.py")]
    where = f"line {lines[-1]}: " if lines else ""
    return one_line(f"{where}{type(error).__name__}: {error}")
