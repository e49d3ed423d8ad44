"""The data folder in an object store: whether it takes, gives, lists and removes files, and lets the first writer win.

It is tried with a file of the doctor's own, `.doctor`, which is removed again.
"""

from collections.abc import Iterator

from commands.checks.finding import Finding
from commands.checks.place import Place
from daybook.errors import DaybookError
from daybook.storage.store_folder import StoreFolder

CHECK = "store"
NAME = ".doctor"


def store(place: Place) -> Iterator[Finding]:
    """Try the store, if the data folder is in one."""
    folder = place.data.root
    if not isinstance(folder, StoreFolder):
        return
    try:
        wrong = _wrong(folder)
    except DaybookError as error:
        yield Finding(CHECK, "mend", str(error))
        return
    if wrong:
        yield Finding(CHECK, "mend", f"{folder.path}: {wrong}", "keep the data folder in a store that does")
    else:
        yield Finding(CHECK, "well", f"{folder.path}: it takes, gives, lists and removes files; the first writer wins")


def _wrong(folder: StoreFolder) -> str:
    folder.remove_file(NAME)
    folder.write_first(NAME, b"first")
    folder.write_first(NAME, b"second")
    found, is_listed = folder.content(NAME), NAME in folder.names()
    folder.remove_file(NAME)
    if found != b"first":
        return (
            "it takes a file where one is already, against the condition (If-None-Match): of two runs the last one wins"
        )
    if not is_listed:
        return "a file that it has taken is not in its listing at once"
    return "" if not folder.has(NAME) else "a file that was removed is still given"
