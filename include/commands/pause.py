"""`./daybook pause`, `resume` and `cancel`: whether a pipeline may begin runs, and the end of its backfills."""

from functools import partial

from commands import connections, exit_codes
from commands.arguments import Json, PipelineName, Quiet, pipeline_named
from commands.output import progress, say, say_error, tell_json
from daybook.ledger import step_log
from daybook.postgres.session import at_once
from daybook_airflow.pools import missing_pools
from deployment.control import cancel as cancelling
from deployment.home import Home
from deployment.running import attached


def pause(pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Let nothing new of a pipeline begin.

    Example: ./daybook pause
    """
    name = pipeline_named(pipeline).name
    attached(Home.of_checkout()).api.pause(name)
    said = f"{name} is paused: tasks at work end, and nothing else begins, daily runs neither."
    return _tell(name, said, json, is_paused=True)


def resume(pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Let a paused pipeline go on.

    A pool that it names and that is not there is told: its tasks would wait for it.

    Example: ./daybook resume
    """
    chosen, home = pipeline_named(pipeline), Home.of_checkout()
    api = attached(home).api
    api.unpause(chosen.name)
    for problem in missing_pools(chosen, api.pools(), shell_file=home.shell_file):
        say_error(f"{problem}; until then its tasks wait")
    return _tell(chosen.name, f"{chosen.name} goes on.", json, is_paused=False)


def cancel(pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Stop a pipeline's backfills; what is done stays done.

    Every run that a command has asked for and that has not begun is taken back and named, those of `day`, `replay` and
    `release` too: ask for these again. Daily runs stay. Runs at work go on to their end, and the command waits for
    them.

    Example: ./daybook cancel
    """
    chosen = pipeline_named(pipeline)
    api = attached(Home.of_checkout()).api
    connect = partial(connections.postgres, chosen.target.connection)

    def came_to_its_end(run: str) -> bool:
        return at_once(connect, lambda session: step_log.came_to_its_end(session, chosen.name, run))

    done: list[str] = []

    def tell(line: str) -> None:
        done.append(line)
        progress(line)

    cancelling.cancel(api, chosen.name, came_to_its_end, tell)
    said = (
        f"{chosen.name}: no backfill is left, and no run that `day`, `replay` or `release` asked for; daily runs stay, "
        "and what is published."
    )
    return _tell(chosen.name, said, json, done=done)


def _tell(name: str, said: str, is_json: bool, **words: object) -> int:
    if is_json:
        tell_json({"pipeline": name, **words})
    else:
        say(said)
    return exit_codes.DONE
