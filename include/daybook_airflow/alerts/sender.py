"""Works the outbox off: describes what was noticed, gathers it, and sends it; what no server takes is tried again.

`python -m daybook_airflow.alerts.sender` is started with each event, and ends when all is sent, or after a while: then
the next event, or `./daybook watch`, goes on. One is at work at a time, also beside `watch`.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from daybook.alerts import gathering
from daybook.alerts.alert import Alert
from daybook.alerts.gathering import Told
from daybook.alerts.outbox import Outbox, Words, digest, outbox_folder
from daybook.alerts.places import places
from daybook.alerts.tries import Tries
from daybook.errors import BadSpec
from daybook.pipelines import Pipelines, pipelines_now
from daybook.spec import Alerts
from daybook_airflow.alerts.described import alerts_of, bare
from daybook_airflow.alerts.post import NotSent, send

LINGER_SECONDS = 20 * 60
LOOK_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
log = logging.getLogger(__name__)


def work_off(outbox: Outbox, now: datetime, *, is_patient: bool = False) -> bool:
    """Describe, gather and send what lies in an outbox; return whether anything waits for later.

    is_patient: what was tried in vain a moment ago is not tried again yet.
    """
    told, pipelines = Told.of(outbox.told()), pipelines_now()
    for file, event in outbox.events():
        told = _take(outbox, told, event, pipelines, now)
        outbox.keep_told(told.words())
        file.unlink(missing_ok=True)
    told, gathered = gathering.close(told, now)
    for alerts in gathered:
        _put(outbox, alerts, pipelines, is_more=True)
    if gathered:
        outbox.keep_told(told.words())
    left = [words for file, words in outbox.unsent() if not _is_sent(outbox, file, words, now, is_patient)]
    return bool(left) or gathering.waits_until(told) is not None


def _take(outbox: Outbox, told: Told, event: Words, pipelines: Pipelines, now: datetime) -> Told:
    if event.get("identity") in told.seen:
        return told
    if event.get("dag_id") in pipelines.good:
        told = gathering.count_run(told, event["dag_id"], has_failed=event.get("kind") == "run_failed")
    for alert in _described(event, outbox, pipelines, told):
        telling = gathering.tell(told, alert, now)
        told = telling.told
        if telling.now:
            _put(outbox, telling.now, pipelines, is_more=False)
    return told


def _described(event: Words, outbox: Outbox, pipelines: Pipelines, told: Told) -> list[Alert]:
    try:
        return alerts_of(event, outbox, pipelines, told.failed.get(event.get("dag_id", ""), 0))
    except Exception:
        # Such as a data folder that cannot be read now: what is known is told.
        log.exception("An event could not be described")
        return [bare(event)] if event.get("kind") != "run_done" else []


def _put(outbox: Outbox, alerts: Sequence[Alert], pipelines: Pipelines, *, is_more: bool) -> None:
    for place in _places(alerts[0], pipelines):
        name = digest(f"{place} {' '.join(alert.identity for alert in alerts)}")
        words = {"name": name, "place": place, "is_more": is_more, "alerts": [alert.words() for alert in alerts]}
        # The same name if it is put once more, after a crash in between.
        outbox.put(f"{alerts[0].at[:19].replace(':', '-')}-{name}", {**words, "tries": 0})


def _places(alert: Alert, pipelines: Pipelines) -> list[Words]:
    try:
        found = places(pipelines.good.get(alert.subject))
    except BadSpec as error:
        log.error("%s", error)
        found = None
    return list(_each(found)) if found else []


def _each(alerts: Alerts) -> Iterator[Words]:
    if alerts.to:
        yield {"kind": "mail", "to": list(alerts.to)}
    if alerts.slack:
        yield {"kind": "slack", "connection": alerts.slack}
    if alerts.webhook:
        yield {"kind": "webhook", "connection": alerts.webhook}


def _is_sent(outbox: Outbox, file: Any, words: Words, now: datetime, is_patient: bool) -> bool:
    if is_patient and words["tries"] and now < datetime.fromisoformat(words["tried_at"]) + _wait(words["tries"]):
        return False
    try:
        send(words)
    except NotSent as error:
        tried = {"tries": words["tries"] + 1, "tried_at": now.isoformat(), "error": str(error)}
        outbox.put(file.stem, {**words, **tried})
        return False
    file.unlink(missing_ok=True)
    return True


def _wait(tries: int) -> timedelta:
    return min(FIRST_WAIT * int(2 ** min(tries - 1, 10)), LONGEST_WAIT)


@contextmanager
def alone(outbox: Outbox) -> Iterator[bool]:
    """Be the only sender of an outbox until the block ends; yield False, at once, if another one is at work."""
    outbox.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(outbox.folder / "lock", "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def main() -> None:
    """Work the outbox off until nothing waits, or for a while; if another sender is at work, leave it to that one."""
    outbox, until = Outbox(outbox_folder(os.environ)), time.monotonic() + LINGER_SECONDS
    has_more = True
    # An event may come in the moment between the last look and the lock's release.
    while (has_more or any(outbox.events())) and time.monotonic() < until:
        with alone(outbox) as is_alone:
            if not is_alone:
                return
            outbox.tidy(time.time())
            Tries(outbox.folder).tidy(time.time())
            while (has_more := work_off(outbox, datetime.now(UTC), is_patient=True)) and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
