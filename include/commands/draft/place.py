"""Where a drafted pipeline and its test are written: each file whole, and none over another."""

import keyword
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from commands.draft.answers import refuse
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.text import nearest, one_line
from deployment.home import REPOSITORY

MODULES, TESTS = "include/pipelines", "tests/pipelines"
# With "_store" appended it is still a name of a schema.
LONGEST_NAME = 57
# Schemas that are there already, or are Daybook's own.
TAKEN_SCHEMAS = ("public", "information_schema", "daybook")


def module_file(name: str) -> str:
    """Return the path of a pipeline's module, below the checkout."""
    return f"{MODULES}/{name}.py"


def test_file(name: str) -> str:
    """Return the path of the test of a pipeline's module, below the checkout."""
    return f"{TESTS}/test_{name}.py"


def check_name(name: str) -> None:
    """Raise WrongWords if a name is none for a pipeline, its module and its schema."""
    if not re.fullmatch(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}", name):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:LONGEST_NAME]
        hint = f"; did you mean {plain!r}?" if plain and plain != name else ""
        refuse(
            f"{one_line(repr(name))} is not a name for a pipeline: it takes small letters of ASCII, digits and _, "
            f"a letter first, at most {LONGEST_NAME} in all{hint}"
        )
    if keyword.iskeyword(name) or name in TAKEN_SCHEMAS or name.startswith("pg_"):
        what = "a word of Python" if keyword.iskeyword(name) else "the name of a schema that is not a pipeline's"
        refuse(f"{name!r} is {what}; give the pipeline another name, such as {name.removeprefix('pg_') + '_by_day'!r}")


def check_free(name: str, *, is_forced: bool) -> None:
    """Raise WrongWords if a file would be written over, or another pipeline has the name or the schema."""
    there = [file for file in (module_file(name), test_file(name)) if os.path.lexists(REPOSITORY / file)]
    if there and not is_forced:
        refuse(f"{' and '.join(there)}: there already; take another name, or say --force to write over it")
    is_own = module_file(name) in there
    for pipeline in load_pipelines().good.values():
        if pipeline.name == name and not is_own:
            refuse(f"{name}: another module has a pipeline of this name; take another name")
        schemas = {pipeline.target.schema_, pipeline.target.store}
        if pipeline.name != name and schemas & {name, f"{name}_store"}:
            refuse(f"{name}: the pipeline {pipeline.name} publishes into a schema of this name; take another name")


def sample_named(path: Path) -> None:
    """Raise WrongWords, with the nearest name in its folder, if a sample is not there or no file."""
    if path.is_file():
        return
    if path.is_dir():
        refuse(f"{one_line(str(path))} is a folder; name a file in it")
    if path.exists():
        refuse(f"{one_line(str(path))} is not a file; copy what it holds into one")
    beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    refuse(f"{one_line(str(path))} is not there{nearest(path.name, beside)}")


def write(files: Mapping[str, bytes]) -> None:
    """Write files below the checkout, each whole or not at all. Raises BadSpec if they cannot be written there."""
    for name, content in files.items():
        file = REPOSITORY / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, content)
        except OSError as error:
            raise BadSpec(
                f"{name} cannot be written: {error.strerror}; say --print to have the module printed, and put it there "
                "by hand"
            ) from None


def _write(file: Path, content: bytes) -> None:
    handle, new = tempfile.mkstemp(prefix="_", suffix=".new", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(new, 0o666 & ~umask)
        os.replace(new, file)
    except BaseException:
        os.unlink(new)
        raise
