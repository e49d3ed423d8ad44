"""All that the page of a day shows: the run whose account it is, the last try, the ledger, and changed numbers.

It reads files alone; ledger/known_day.py has asked the ledger. pages/day_page.py puts it into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from daybook.ledger.known_day import KnownDay, PublishedRun
from daybook.pages.changed_numbers import Number, changed_numbers
from daybook.pages.run_state import RunState, day_without_run, read_day, with_receipts
from daybook.pages.trouble import Noticed
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder

UNKNOWN = KnownDay()


@dataclass(frozen=True)
class DayView:
    """A day as its page shows it.

    state: of the run whose account it is. tried: of the last try. run: the run whose tab this is; None for the day's
    own page. is_one_of_several: the run has other days too. numbers: the published values that differ from those of
    the publication before. noticed: failures that Airflow noticed, by run. remark: why the ledger is not known, or "".
    """

    state: RunState
    tried: RunState
    known: KnownDay = UNKNOWN
    run: str | None = None
    is_one_of_several: bool = False
    numbers: list[Number] = field(default_factory=list)
    noticed: Mapping[str, Noticed] = field(default_factory=dict)
    remark: str = ""

    @property
    def published(self) -> PublishedRun | None:
        """Return the publication of the run whose account it is; None if it has published nothing."""
        return published_by(self.known)[0]

    @property
    def published_before(self) -> PublishedRun | None:
        """Return the publication before that one, or None."""
        return published_by(self.known)[1]


def day_view(
    data: DataFolder,
    pipeline: Pipeline,
    day: date,
    known: KnownDay,
    *,
    run: str | None = None,
    is_one_of_several: bool = False,
    noticed: Mapping[str, Noticed] | None = None,
    remark: str = "",
) -> DayView:
    """Return what the page of a day shows. known: as the ledger knows it, for the same run."""
    state = _state(data, pipeline, day, known.run, known)
    last = known.runs[0].run if known.runs and run is None else known.run
    tried = state if last == known.run else _state(data, pipeline, day, last, KnownDay())
    return DayView(
        state=state,
        tried=tried,
        known=known,
        run=run,
        is_one_of_several=is_one_of_several,
        numbers=_numbers(data, pipeline, day, known),
        noticed=noticed or {},
        remark=remark,
    )


def published_by(known: KnownDay) -> tuple[PublishedRun | None, PublishedRun | None]:
    """Return the publication of the run whose account it is, and the one before that; None for one that is not."""
    names = [one.run for one in known.published]
    if known.run not in names:
        return None, None
    place = names.index(known.run)
    return known.published[place], next(iter(known.published[place + 1 :]), None)


def _state(data: DataFolder, pipeline: Pipeline, day: date, run: str | None, known: KnownDay) -> RunState:
    if run is None:
        return day_without_run(data, pipeline, day)
    return with_receipts(read_day(data, pipeline, run, day), known.receipts)


def _numbers(data: DataFolder, pipeline: Pipeline, day: date, known: KnownDay) -> list[Number]:
    now, before = published_by(known)
    if now is None or before is None or not now.changes:
        return []
    was, became = (data.published_files(pipeline.name, day, one.run_id) for one in (before, now))
    return changed_numbers(pipeline, was, became)
