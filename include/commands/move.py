"""`./daybook move`: copies the data folder, or a warehouse, to another place; the old one stays as it is."""

from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import Json, Quiet
from commands.output import say, say_error, tell_json
from commands.warehouses import OF_THE_DEPLOYMENT, ledger, schemas_of, servers_of_all, warehouses
from commands.wrong_words import WrongWords
from daybook.pipelines import load_pipelines
from daybook.publish.agreement import differences
from daybook.storage.copied import Copied, copy_folder
from daybook.storage.data_folder import DataFolder
from daybook.text import counted
from deployment.environment import data_url
from deployment.moved_warehouse import Moved, move_warehouse

Data = Annotated[
    str | None, typer.Option("--data", metavar="FOLDER", help="Copy the data folder there: a folder, or a URL.")
]
From = Annotated[
    str, typer.Option("--from", metavar="CONNECTION", help="The warehouse that is copied: a connection's id.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="CONNECTION", help="Copy a warehouse there: a connection's id.")
]


def move(
    data: Data = None, origin: From = OF_THE_DEPLOYMENT, to: To = None, json: Json = False, quiet: Quiet = False
) -> int:
    """Copy the data folder (--data), or what Daybook has in a warehouse (--to), to another place, and compare the two.

    The old place stays as it is, and in use until you name the new one: in DAYBOOK_DATA, in the connection, or in the
    pipelines' `target`. Pause the pipelines before. The exit code is 1 if the new folder shows other days than the
    warehouse.

    Example: ./daybook move --data /srv/daybook
    """
    if (data is None) == (to is None):
        raise WrongWords("move: expected either --data FOLDER or --to CONNECTION; nothing was copied")
    with servers_of_all("move"):
        return _move_data(data, is_json=json) if data else _move_warehouse(origin, to or "", is_json=json)


def _move_data(place: str, *, is_json: bool) -> int:
    old, url = connections.data().root, data_url(place)
    new = connections.data_of(url)
    if str(old.path) in map(str, (new.root.path, *new.root.path.parents)):
        raise WrongWords(f"move: {place} is the data folder, or in it; nothing was copied; name another folder")
    done = copy_folder(old, new.root)
    left = _compared(new)
    if is_json:
        tell_json({"copied": done, "left": left})
    else:
        _tell_data(done, left, url)
    return exit_codes.NOT_AS_ASKED if left else exit_codes.DONE


def _compared(new: DataFolder) -> list[str]:
    """Return what the new folder shows other than the warehouses."""
    found = []
    for warehouse in warehouses(new):
        known = ledger(connections.warehouse_dsn(warehouse.connection))
        own = known._replace(seen={name: seen for name, seen in known.seen.items() if name in warehouse.names})
        found += [f"{one.pipeline} {one.day or ''}: {one.found}" for one in differences(own, new, warehouse.names)]
    return found


def _tell_data(done: Copied, left: list[str], url: str) -> None:
    known = f"; {counted(done.known, 'file')} there already" if done.known else ""
    say(f"copied {counted(done.files, 'file')}, {done.size_bytes:,} bytes{known}")
    for line in left:
        say_error(line)
    say(f"Set DAYBOOK_DATA={url}, and start again.")


def _move_warehouse(origin: str, to: str, *, is_json: bool) -> int:
    done = move_warehouse(connections.warehouse_dsn(origin), connections.dsn(to), _schemas(origin))
    if is_json:
        tell_json(done._asdict())
    else:
        _tell_warehouse(done, origin, to)
    return exit_codes.DONE


def _schemas(origin: str) -> set[str]:
    found = schemas_of(origin, load_pipelines().good.values())
    if not found:
        raise WrongWords(
            f"move: no pipeline publishes into {origin!r}; nothing was copied; name its connection by --from"
        )
    return found


def _tell_warehouse(done: Moved, origin: str, to: str) -> None:
    say(f"copied {counted(len(done.rows), 'table')}, {counted(sum(done.rows.values()), 'row')}: the two hold the same")
    if done.missing_roles:
        say(f"the new server has no role {', '.join(done.missing_roles)}: no rights were copied; grant them to readers")
    say(f"Let the connection {origin} name the server of {to}, or the pipelines' `target`; then start again.")
