"""The software: Python, the packages against requirements.lock, and the modules of include/pipelines."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from commands import __version__
from commands.checks.finding import Finding
from commands.checks.place import Place
from daybook.libraries import BrokenLibrary, check_libraries
from daybook.pipelines import load_pipelines
from daybook.spec import LIBRARIES
from daybook.text import counted, verb
from deployment.home import REPOSITORY

OLDEST, NEWEST = (3, 11), (3, 13)
LOCK = REPOSITORY / "requirements.lock"
SHOWN = 5


def software(place: Place) -> Iterator[Finding]:
    """Compare what is installed with what is locked, and load the pipelines."""
    yield _python()
    yield _packages()
    yield _libraries()
    pipelines = load_pipelines()
    yield from (
        Finding("pipelines", "mend", f"{file} is broken: {reason}", "mend the module; the others go on")
        for file, reason in pipelines.broken.items()
    )
    if pipelines.good:
        yield Finding("pipelines", "well", f"{', '.join(pipelines.good)} can be loaded")
    elif not pipelines.broken:
        yield Finding("pipelines", "mend", "there is no pipeline", "./daybook init NAME --file SAMPLE")


def _python() -> Finding:
    found = f"Daybook {__version__} on Python {sys.version.split()[0]}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Finding("versions", "well", found)
    return Finding("versions", "mend", found, "use Python 3.11, 3.12 or 3.13: `make PYTHON=python3.12 setup`")


def _packages() -> Finding:
    if not LOCK.exists():
        return Finding("versions", "unknown", f"there is no {LOCK}", "nothing says which packages there should be")
    lines = re.findall(r"^([a-z0-9][^\s=]*==[^\\\n]+)", LOCK.read_text(), re.MULTILINE)
    locked = [Requirement(line) for line in lines]
    wanted = [one for one in locked if one.marker is None or one.marker.evaluate()]
    others = [
        f"{one.name} is {_installed(one.name)}" for one in wanted if f"=={_installed(one.name)}" != str(one.specifier)
    ]
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        found = f"not as requirements.lock says: {', '.join(others[:SHOWN])}{more}"
        return Finding("versions", "mend", found, "`make setup` installs what is locked")
    told = f"{counted(len(wanted), 'package')} {verb(len(wanted))}"
    return Finding("versions", "well", f"{told} as requirements.lock says")


def _libraries() -> Finding:
    engines = {LIBRARIES[pipeline.engine] for pipeline in load_pipelines().good.values()}
    try:
        check_libraries(sorted(engines))
    except BrokenLibrary as error:
        return Finding("libraries", "mend", str(error), "then ask again")
    return Finding("libraries", "well", f"all can be loaded, {', '.join(sorted(engines)) or 'without an engine'} too")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not there"
