"""Observes the state of days: from the ledger, and from their sources now. It decides nothing."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from daybook.days import days_after
from daybook.ftp.listed import Listed
from daybook.ftp.listing import Remote
from daybook.ftp.look import Seen, look
from daybook.ftp.retry import PATIENCE
from daybook.ftp.session import Session, session
from daybook.ledger import step_log
from daybook.ledger.as_of import copies
from daybook.ledger.decisions import rollbacks
from daybook.ledger.queries import is_begun
from daybook.ledger.receipt import Receipt
from daybook.planning.known_rows import with_known_rows
from daybook.planning.lookup_keys import with_changed_keys
from daybook.planning.standing import Failure, FileState, Standing
from daybook.planning.tables_now import on_day, remarks, tables_now, whole_tables, without_mark
from daybook.postgres.day_state import DayState
from daybook.postgres.session import Connection, at_once
from daybook.refused import mends
from daybook.spec import File, Pipeline
from daybook.storage.data_folder import DataFolder

OpenConnection = Callable[[str], Any]


class LedgerAnswers(NamedTuple):
    """The ledger's answers, by day: receipts of the last finished run, the last failure, and that run's receipts; the
    hash of what readers see of each published day; the days rolled back, by whom and why; and the sources of which a
    day keeps a copy."""

    deployed: dict[date, dict[str, Receipt]]
    failures: dict[date, Failure]
    failed: dict[date, dict[str, Receipt]]
    published: dict[date, str]
    rolled_back: dict[date, str]
    settled: dict[date, frozenset[str]]


class Observed(NamedTuple):
    """The state of each day; what the rows are of each table that is read whole, by source; and what a person should
    know of the others, a sentence each."""

    standings: list[Standing]
    tables: dict[str, DayState]
    remarks: tuple[str, ...] = ()


def observe(
    pipeline: Pipeline, days: list[date], open_postgres: OpenConnection, open_ftp: OpenConnection, data: DataFolder
) -> Observed:
    """Return the state of each day and of the tables, and for lookups that have changed, the changed keys of each day.

    Raises SourceUnavailable or BadSpec if a server cannot be asked.
    """
    asked = tables_now(pipeline, days, open_postgres)
    now = whole_tables(asked)
    known = [
        standing._replace(slices=on_day(asked, standing.day), unmarked=without_mark(asked, standing.day))
        for standing in with_known_rows(standings(pipeline, days, open_postgres, open_ftp, data), tuple(now), data)
    ]
    return Observed(with_changed_keys(pipeline, known, now, open_postgres, data), now, remarks(asked))


def standings(
    pipeline: Pipeline,
    days: list[date],
    open_postgres: OpenConnection,
    open_ftp: OpenConnection,
    data: DataFolder,
) -> list[Standing]:
    """Return the state of each day, but for the tables. data: the data folder, for the mends.

    Raises SourceUnavailable or BadSpec if a server cannot be asked.
    """
    known = _ledger_answers(pipeline, days, open_postgres)
    mended = _mends(pipeline, days, data)
    looked = _seen(pipeline, days, open_ftp)
    return [_standing(day, known, looked[day])._replace(mends=mended[day]) for day in days]


def _standing(day: date, known: LedgerAnswers, looked: list[Seen]) -> Standing:
    settled = known.settled.get(day, frozenset())
    due = [seen for seen in looked if seen.part.stem.partition(".")[0] not in settled]
    return Standing(
        day=day,
        is_published=day in known.published,
        deployed=known.deployed.get(day, {}),
        failure=known.failures.get(day),
        files={seen.part.stem: _state(seen.remote) for seen in due},
        failed=known.failed.get(day, {}),
        rolled_back=known.rolled_back.get(day),
        published_content=known.published.get(day),
        beside={seen.part.stem: seen.beside for seen in due if seen.beside},
        settled=settled,
    )


def _ledger_answers(pipeline: Pipeline, days: list[date], open_postgres: OpenConnection) -> LedgerAnswers:
    def do(connection: Connection) -> LedgerAnswers:
        if not is_begun(connection):
            return LedgerAnswers({}, {}, {}, {}, {}, {})
        asked = (connection, pipeline.name, min(days), max(days))
        return LedgerAnswers(
            deployed=step_log.receipts_of_last_deployed(*asked),
            failures={day: Failure(*words) for day, words in step_log.failures(*asked).items()},
            failed=step_log.receipts_of_last_failed(*asked),
            published=step_log.published_contents(*asked),
            rolled_back={day: str(rollback) for day, rollback in rollbacks(*asked).items()},
            settled=_settled(connection, pipeline, days) if pipeline.as_of_day else {},
        )

    return at_once(partial(open_postgres, pipeline.target.connection), do)


def _settled(connection: Connection, pipeline: Pipeline, days: list[date]) -> dict[date, frozenset[str]]:
    kept = copies(connection, pipeline, min(days), max(days))
    return {day: frozenset(sources) for day, sources in kept.items()}


def _mends(pipeline: Pipeline, days: list[date], data: DataFolder) -> dict[date, dict[str, dict[str, str]]]:
    has_some, known = data.days_with_mends(pipeline.name), [source.name for source in pipeline.sources]
    return {day: mends.hashes(data.mends(pipeline.name, day), known) if str(day) in has_some else {} for day in days}


def _seen(pipeline: Pipeline, days: list[date], open_ftp: OpenConnection) -> dict[date, list[Seen]]:
    found: dict[date, list[Seen]] = {day: [] for day in days}
    for connection in dict.fromkeys(file.connection for file in pipeline.files):
        with session(partial(open_ftp, connection), connection, PATIENCE.time_limit_s) as server:
            of_many = Listed(server)
            for file in (file for file in pipeline.files if file.connection == connection):
                for day in days:
                    found[day] += _seen_of(pipeline, file, day, of_many)
    return found


def _seen_of(pipeline: Pipeline, file: File, day: date, server: Session) -> list[Seen]:
    on = pipeline.delivered_on(file, day)
    return look(server, file, on, days_after(pipeline.schedule, day, file.late_days)).seen if on else []


def _state(remote: Remote | None) -> FileState | None:
    return FileState(remote.size_bytes, remote.modified_at) if remote else None
