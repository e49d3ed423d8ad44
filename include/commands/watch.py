"""`./daybook watch`: looks at each part of the deployment and at days that are late, and tells who is to be told.

It needs no part of Airflow to be alive: a timer of the system, or cron, starts it. If this machine itself is dead, the
address that `--ping` asks each time hears nothing more, and tells it.
"""

import os
import time
from datetime import UTC, date, datetime
from typing import Annotated

import httpx
import typer

from commands import exit_codes
from commands.arguments import Json, Quiet, as_count
from commands.output import say, tell_json
from commands.servers import is_named
from commands.unsent_alerts import Unsent, in_words, unsent_alerts
from commands.watched_news import Days, of_days, of_files, of_parts, watched_days
from commands.watched_parts import Part, airflow_parts, api_url, warehouse_parts
from daybook.alerts.gathering import Told
from daybook.alerts.outbox import Outbox, outbox_folder
from daybook.ledger.exports import Owed
from daybook.pipelines import load_pipelines
from daybook.text import one_line, spell
from daybook_airflow.alerts.sender import alone, work_off
from deployment.home import HOST, Home
from deployment.running import name_servers
from deployment.servers.postgres import LocalPostgres

PING = "DAYBOOK_WATCH_PING"
PING_SECONDS = 10.0

Every = Annotated[
    int | None, typer.Option("--every", parser=as_count, metavar="SECONDS", help="Look again and again, until Ctrl-C.")
]
Ping = Annotated[
    str | None, typer.Option("--ping", metavar="URL", help=f"Ask this address if all is well; else that of {PING}.")
]


def watch(every: Every = None, ping: Ping = None, json: Json = False, quiet: Quiet = False) -> int:
    """Look at every part of the deployment, at late days and at places that follow, and tell who is to be told.

    One look; the exit code is 1 if a part is dead or hangs, a day is late, an export or a further target is behind, or
    an alert cannot be sent. If all of
    Airflow is well and nothing is unsent, it asks the address of --ping, so that the other side notices silence.

    Example: ./daybook watch
    """
    _name_own_servers()
    while True:
        code = _look(ping or os.environ.get(PING), is_json=json)
        if every is None:
            return code
        time.sleep(every)


def _look(ping: str | None, *, is_json: bool) -> int:
    now = datetime.now(UTC)
    parts = [*airflow_parts(api_url(_own_url()), now), *warehouse_parts()]
    found = {pipeline.name: watched_days(pipeline, now) for pipeline in load_pipelines().good.values()}
    late = {name: days.late if days else [] for name, days in found.items()}
    behind = {name: days.behind if days else [] for name, days in found.items()}
    unsent = _told(parts, found, now)
    is_alive = all(part.is_well for part in parts) and not any(one.tries for one in unsent)
    pinged = _pinged(ping) if ping and is_alive else None
    if is_json:
        tell_json({"parts": parts, "late": late, "behind": behind, "alerts_unsent": unsent, "pinged": pinged})
    else:
        _tell(parts, late, behind, unsent, pinged)
    is_well = is_alive and not any([*late.values(), *behind.values()]) and pinged is not False
    return exit_codes.DONE if is_well else exit_codes.NOT_AS_ASKED


def _name_own_servers() -> None:
    """Let the environment name this checkout's servers, unless it names others; none is started."""
    names = {pipeline.target.connection for pipeline in load_pipelines().good.values()}
    if not any(map(is_named, names)) and Home.of_checkout().path.exists():
        name_servers(LocalPostgres(Home.of_checkout()))


def _own_url() -> str:
    return f"http://{HOST}:{Home.of_checkout().kept_port('ui')}"


def _told(parts: list[Part], found: dict[str, Days | None], now: datetime) -> list[Unsent]:
    """Write down what is news, send it, and return what is not sent."""
    outbox = Outbox(outbox_folder())
    told = Told.of(outbox.told())
    for event in [*of_parts(parts, told), *of_days(found, told), *of_files(parts, told, now)]:
        outbox.note({**event, "at": now.isoformat()})
    with alone(outbox) as is_alone:
        if is_alone:
            work_off(outbox, now)
    return unsent_alerts()


def _pinged(url: str) -> bool:
    try:
        return httpx.get(url, timeout=PING_SECONDS, follow_redirects=True).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _tell(
    parts: list[Part],
    late: dict[str, list[date]],
    behind: dict[str, list[Owed]],
    unsent: list[Unsent],
    pinged: bool | None,
) -> None:
    for part in parts:
        say(one_line(f"{'well' if part.is_well else 'DEAD':4}  {part.name}: {part.found}"))
    for name, days in late.items():
        if days:
            say(f"LATE  {name}: {spell(tuple(days))}")
    for name, debt in ((name, debt) for name, owed in behind.items() for debt in owed):
        say(one_line(f"BEHIND  {name} {debt.day}: {debt}"))
    for line in in_words(unsent):
        say(line)
    if pinged is not None:
        say("well  the ping was answered" if pinged else "DEAD  the ping: its address does not answer as asked")
