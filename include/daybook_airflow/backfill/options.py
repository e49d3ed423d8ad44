"""The words of `airflow dags backfill`: every option that Airflow 2.10 had, and whether it is used here.

`parse` turns the words into a `Request`; backfill/plan.py turns that into days and instants. Imports no Airflow.
"""

import argparse
from typing import Any, Literal, NamedTuple, NoReturn

from daybook.errors import DaybookError

PROGRAM = "airflow dags backfill"
DESCRIPTION = """\
Run the days from START to END again or for the first time, both of them included.

A date is a local day of the pipeline's time zone; a date-time with an offset is an exact instant. One of -s and -e
alone means that one day. The days are done by the running scheduler; with --wait the command stays until they are.
Daybook asks Airflow's REST API for what `airflow backfill create` does; docs/backfill.md says where and as whom."""


class BadBackfill(DaybookError):
    """Mend the command: its words are not a backfill. Nothing was made."""


class Option(NamedTuple):
    """An option: its flags (the long one last), its fate, its help, and the name of its value, if it has one.

    `says` is the help of a used option, the behaviour in place of an ignored one, or the reason why one is refused.
    """

    flags: tuple[str, ...]
    fate: Literal["used", "ignored", "refused"]
    says: str
    value: str | None = None

    @property
    def word(self) -> str:
        """Return the option's name in argparse's result."""
        return self.flags[-1].lstrip("-").replace("-", "_")


# Ignored: the days, their order and their results are the same without it. Refused: they would not be.
OPTIONS = (
    Option(("-s", "--start-date"), "used", "first day, YYYY-MM-DD", "START"),
    Option(("-e", "--end-date"), "used", "last day, included", "END"),
    Option(("-n", "--dry-run"), "used", "say which runs would be made, and make none"),
    Option(("-c", "--conf"), "used", "JSON object that every run gets as its conf", "CONF"),
    Option(("--rerun-failed-tasks",), "used", "also run again the days whose run has failed"),
    Option(("--reset-dagruns",), "used", "also run again the days whose run has ended, failed or not"),
    Option(("-B", "--run-backwards"), "used", "newest day first"),
    Option(("-y", "--yes"), "used", "do not ask before --reset-dagruns runs days again"),
    Option(
        ("-v", "--verbose"), "used", "say the `airflow backfill create` that this is equal to, and which API is asked"
    ),
    Option(("--max-active-runs",), "used", "days at a time (new here; else the DAG's own limit)", "N"),
    Option(("--batch",), "used", "days that one run works on (new here; else one)", "N"),
    Option(("--wait",), "used", "stay until every day has ended; exit 0 only if all of them are a success (new here)"),
    Option(("-l", "--local"), "ignored", "the scheduler's executor runs the tasks"),
    Option(("-x", "--donot-pickle"), "ignored", "nothing is pickled any more"),
    Option(("-I", "--ignore-first-depends-on-past"), "ignored", "Airflow 3 has its own rule for depends_on_past"),
    Option(("-S", "--subdir"), "ignored", "the DAG is taken as the DAG processor last read it", "SUBDIR"),
    Option(("--continue-on-failures",), "ignored", "a failed day never stops the others"),
    Option(("--delay-on-limit",), "ignored", "the scheduler looks after the limit on active runs", "SECONDS"),
    Option(("--disable-retry",), "ignored", "tasks keep the retries that the DAG gives them"),
    Option(("-m", "--mark-success"), "refused", "it would run the tasks; mark the runs in the UI instead"),
    Option(
        ("-t", "--task-regex"), "refused", "it would run all tasks; see `airflow tasks clear --task-regex`", "REGEX"
    ),
    Option(("-i", "--ignore-dependencies"), "refused", "it would run the upstream tasks too; clear one task in the UI"),
    Option(("--pool",), "refused", "it would run in other pools; a pool's size is set by `airflow pools set`", "POOL"),
    Option(("--treat-dag-as-regex",), "refused", "a backfill is for one DAG; give its id, once for each DAG"),
    Option(("--treat-dag-id-as-regex",), "refused", "a backfill is for one DAG; give its id, once for each DAG"),
)


class Request(NamedTuple):
    """The command as it was typed: dates and conf are still text. `ignored` holds the options that do nothing."""

    dag_id: str
    start: str | None = None
    end: str | None = None
    conf: str | None = None
    reprocess: Literal["none", "failed", "completed"] = "none"
    max_active_runs: int | None = None
    batch: int | None = None
    is_dry_run: bool = False
    is_backwards: bool = False
    is_agreed: bool = False
    is_verbose: bool = False
    is_waiting: bool = False
    ignored: tuple[Option, ...] = ()


def parse(words: list[str]) -> Request:
    """Read the words after `airflow dags backfill`. --help prints the help and exits 0.

    Raises BadBackfill for unknown and refused options, a missing DAG id, and a number that is not over 0.
    """
    given = vars(_parser().parse_args(words))
    _refuse(given)
    return Request(
        dag_id=given["dag_id"],
        start=given.get("start_date"),
        end=given.get("end_date"),
        conf=given.get("conf"),
        reprocess=_reprocess(given),
        max_active_runs=_number("--max-active-runs", given.get("max_active_runs")),
        batch=_number("--batch", given.get("batch")),
        is_dry_run="dry_run" in given,
        is_backwards="run_backwards" in given,
        is_agreed="yes" in given,
        is_verbose="verbose" in given,
        is_waiting="wait" in given,
        ignored=tuple(option for option in OPTIONS if option.fate == "ignored" and option.word in given),
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadBackfill(f"{message}; `{PROGRAM} --help` lists the options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(PROGRAM, description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter, add_help=False)
    parser.add_argument_group("Positional Arguments").add_argument("dag_id", help="The id of the dag")
    options = parser.add_argument_group("Options")
    options.add_argument("-h", "--help", action="help", help="show this help message and exit")
    for option in OPTIONS:
        options.add_argument(*option.flags, **_form(option))
    return parser


def _form(option: Option) -> dict[str, Any]:
    says = option.says if option.fate == "used" else f"{option.fate}: {option.says}"
    # The result holds only options that were typed, so an ignored option is mentioned only if it was typed.
    form = {"dest": option.word, "default": argparse.SUPPRESS, "help": says}
    return {**form, "metavar": option.value} if option.value else {**form, "action": "store_true"}


def _refuse(given: dict[str, Any]) -> None:
    for option in OPTIONS:
        if option.fate == "refused" and option.word in given:
            raise BadBackfill(f"{option.flags[-1]} is not possible in Airflow 3: {option.says}; leave it out")


def _reprocess(given: dict[str, Any]) -> Literal["none", "failed", "completed"]:
    if "reset_dagruns" in given:
        return "completed"
    return "failed" if "rerun_failed_tasks" in given else "none"


def _number(flag: str, typed: str | None) -> int | None:
    if typed is None:
        return None
    if not typed.isdecimal() or int(typed) < 1:
        raise BadBackfill(f"{flag} {typed}: expected a whole number over 0")
    return int(typed)
