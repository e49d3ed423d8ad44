"""`airflow dags backfill`, which Airflow 3 dropped: checks the command line, then sends it to Airflow's REST API.

airflow_local_settings.py calls this while `import airflow` is half done: its configuration can be read; its models and
its command line are not there yet, and would take six seconds more.

    words --options.py--> Request --plan.py--> Plan --ask.py--> runs --look.py--> Sight --progress.py--> messages
"""

import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from airflow.sdk import conf

from daybook.errors import DaybookError
from daybook.text import one_line, spell
from daybook_airflow.access import MEND, URL, Address, Login, address, login
from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.backfill import ask, wait
from daybook_airflow.backfill.ask import NotReady
from daybook_airflow.backfill.look import concern
from daybook_airflow.backfill.options import PROGRAM, BadBackfill, Request, parse
from daybook_airflow.backfill.plan import Dag, Plan, plan
from daybook_airflow.errors import ApiError, LoginRefused
from daybook_airflow.pools import check_pools_of_dag

FORBIDDEN = 403


class Reached(NamedTuple):
    """Airflow's API, its address, the login to it, and its health."""

    api: AirflowApi
    address: Address
    login: Login
    health: Json


def run() -> NoReturn:
    """Run `airflow dags backfill` with this process's arguments, and exit.

    Exits 2 if the command is wrong, 1 if Airflow does not do it; both with one line that says why.
    """
    try:
        code = _backfill(parse(sys.argv[3:]))
    except BadBackfill as error:
        _leave(2, error)
    except DaybookError as error:
        _leave(1, error)
    except KeyboardInterrupt:
        _leave(130, "stopped by Ctrl-C; nothing was made")
    sys.exit(code)


def _backfill(request: Request) -> int:
    reached = _reach()
    try:
        return _done(request, reached)
    except ApiError as error:
        raise _explained(error, reached) from None


def _done(request: Request, reached: Reached) -> int:
    api = reached.api
    found = ask.known_dag(api, request.dag_id)
    check_pools_of_dag(api, request.dag_id)
    planned = plan(request, _dag(found), datetime.now(UTC))
    _say_what_will_be_done(request, planned, found, reached)
    if planned.runs:
        return _in_batches(api, request, planned)
    if request.is_dry_run:
        return _shown(planned, ask.would_run(api, planned))
    _confirm(request, planned)
    wait.for_the_one_before(api, planned.dag.dag_id, _say)
    return wait.create(api, planned, request.is_waiting)


def _reach() -> Reached:
    where, who = address(os.environ, _setting), login(os.environ, _setting)
    api = AirflowApi(where.url, who.user, who.password, token=who.token)
    try:
        health = api.check()
    except ApiError as error:
        raise NotReady(
            f"{error}; expected Airflow's API server there, by {where.origin}; start `airflow api-server`, or set {URL}"
        ) from None
    if health["metadatabase"]["status"] != "healthy":
        raise NotReady(f"{where.url}: Airflow does not reach its metadata database; `airflow db check` says why")
    return Reached(api, where, who, health)


def _explained(error: ApiError, reached: Reached) -> DaybookError:
    who = f"user {reached.login.user!r}" if reached.login.user else "the token"
    said = f"({error.status}: {error.detail}); it is from {reached.login.origin}"
    if isinstance(error, LoginRefused):
        return NotReady(f"{reached.address.url}: Airflow refuses the login of {who} {said}; mend it, or {MEND}")
    if error.status == FORBIDDEN:
        return NotReady(f"{reached.address.url}: Airflow forbids {who} to do this {said}; {MEND} of one who may")
    return error


def _setting(section: str, key: str) -> str | None:
    found: str | None = conf.get(section, key, fallback=None)
    return found


def _dag(found: Json) -> Dag:
    # Imported here: a pipeline that is wrong raises BadSpec, which becomes one line.
    from daybook.pipelines import load_pipelines

    dag_id: str = found["dag_id"]
    if pipeline := load_pipelines().good.get(dag_id):
        return Dag(dag_id, pipeline.schedule, pipeline.max_active_runs)
    # A DAG without a limit of its own has that of the configuration.
    limit = found["max_active_runs"] or conf.getint("core", "max_active_runs_per_dag")
    return Dag(dag_id, None, limit)


def _in_batches(api: AirflowApi, request: Request, planned: Plan) -> int:
    for asked in planned.runs:
        _say(f"one run for {spell(tuple(sorted(asked.days)))}: {asked.run_id}")
    if request.reprocess != "none":
        _say("with --batch days that were done are looked at again in any case, and take over what has not changed")
    return 0 if request.is_dry_run else wait.trigger(api, planned, request.is_waiting)


def _say_what_will_be_done(request: Request, planned: Plan, found: Json, reached: Reached) -> None:
    dag_id = planned.dag.dag_id
    for option in request.ignored:
        _say(f"{option.flags[-1]} is ignored: {option.says}")
    if planned.left_out:
        _say(f"left out, not over yet in {planned.dag.time_zone}: {spell(planned.left_out)}")
    if found["is_paused"]:
        _say(f"{dag_id} is paused: its runs stay queued until `airflow dags unpause {dag_id}`")
    if (worry := concern(reached.health)) and not request.is_waiting:
        _say(worry)
    if request.is_verbose:
        _say(f"asks {reached.address.url}, by {reached.address.origin}; the login is from {reached.login.origin}")
        words = ("dags", "trigger", dag_id) if planned.runs else planned.words
        _say(f"does what this does{', once a run' if planned.runs else ''}: airflow {shlex.join(words)}")
    _say(_days(planned))


def _days(planned: Plan) -> str:
    dag = planned.dag
    if dag.schedule is None:
        return f"{dag.dag_id} (no Daybook pipeline): runs dated from {planned.first} to {planned.last}"
    count = f"{len(planned.days)} day{'s' if len(planned.days) > 1 else ''}"
    return f"{dag.dag_id}: {count} of {dag.time_zone}, {spell(planned.days)}"


def _shown(planned: Plan, runs: Sequence[Json]) -> int:
    print("Performing dry run of backfill: nothing is made. Runs that would be:" if runs else "No run would be made.")
    for one in runs:
        print(f"  {_dated(one, planned.dag)}")
    sys.stdout.flush()
    return 0


def _dated(one: Json, dag: Dag) -> str:
    if one["logical_date"] is None:
        return str(one["partition_key"])
    logical_date = datetime.fromisoformat(one["logical_date"]).astimezone(UTC)
    day: date = logical_date.astimezone(ZoneInfo(dag.time_zone)).date()
    return f"{day}, logical date {logical_date.isoformat()}" if dag.schedule else logical_date.isoformat()


def _confirm(request: Request, planned: Plan) -> None:
    # As in Airflow 2. If there is no terminal, nobody can answer, and a script wants it done.
    if request.reprocess != "completed" or request.is_agreed or not sys.stdin.isatty():
        return
    if input("The days among these that have run already are run again. Go on? [y/N] ").lower() not in ("y", "yes"):
        raise NotReady(f"{planned.dag.dag_id}: not confirmed; nothing was made")


def _say(line: object) -> None:
    print(f"{PROGRAM}: {one_line(' '.join(str(line).split()))}", file=sys.stderr, flush=True)


def _leave(code: int, why: object) -> NoReturn:
    _say(why)
    sys.exit(code)
