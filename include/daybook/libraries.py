"""The libraries that a day needs, tried before anything begins: a broken one is told by its name, file and mend.

Without this, a library that cannot be loaded ends in a traceback, or only in the step that first uses it. It imports no
library itself.
"""

import importlib
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from daybook.errors import DaybookError
from daybook.text import one_line

# Those of every day; the engine of a pipeline is one more.
NEEDED = ("pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "narwhals", "psycopg", "pydantic", "jinja2")
OURS = Path(__file__).parents[1]
MEND = "install all again: `rm -r .venv`, then `make setup`; or take away a file of that name that is in front of it"


class BrokenLibrary(DaybookError):
    """Mend the installation: a library is missing, or cannot be loaded."""


def check_libraries(engines: Iterable[str] = ()) -> None:
    """Import each library that days need, and the engines. Raises BrokenLibrary for the first that cannot be loaded."""
    for name in (*NEEDED, *engines):
        load(name)


def load(name: str) -> None:
    """Import a module. Raises BrokenLibrary, whatever goes wrong in it: a library's code may raise anything."""
    try:
        importlib.import_module(name)
    except Exception as error:
        raise BrokenLibrary(_message(name, error)) from error


def broken_library(error: Exception) -> BrokenLibrary | None:
    """Return the error of a library that broke while one of our modules imported it; None if the mistake is not one."""
    frames = list(traceback.walk_tb(error.__traceback__))
    ours = [position for position, (frame, _) in enumerate(frames) if _is_ours(frame.f_code.co_filename)]
    within = [frame for frame, _ in frames[ours[-1] + 1 :] if frame.f_code.co_name == "<module>"] if ours else []
    if isinstance(error, SyntaxError) and error.filename and not _is_ours(error.filename):
        return BrokenLibrary(_message(_library_of(Path(error.filename)), error))
    if within:
        return BrokenLibrary(_message(str(within[0].f_globals["__name__"]).partition(".")[0], error))
    if isinstance(error, ModuleNotFoundError) and not (OURS / f"{error.name}".partition(".")[0]).exists():
        return BrokenLibrary(_message(f"{error.name}", error))
    return None


def _message(name: str, error: Exception) -> str:
    # The file of a shared library, or of a module that cannot be read; else the innermost one that was at work.
    file = getattr(error, "path", None) or getattr(error, "filename", None) or _file_of(error.__traceback__)
    where = f" ({file})" if file else ""
    return one_line(
        f"the library {name} cannot be loaded{where}: {type(error).__name__}: {error}; nothing was started; {MEND}"
    )


def _file_of(trace: TracebackType | None) -> str:
    """Return the innermost file of a library in a traceback, and "" if there is none."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace)]
    return next((file for file in reversed(files) if not _is_ours(file) and not _is_importing(file)), "")


def _library_of(file: Path) -> str:
    """Return the name of the library that a file belongs to: of its outermost folder that is a package."""
    packages = [folder.name for folder in file.parents if (folder / "__init__.py").exists()]
    return packages[-1] if packages else file.stem


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(OURS)


def _is_importing(file: str) -> bool:
    return file.startswith("<") or file == importlib.__file__
