"""The form on the Day page by which a person shows readers another run of a day: who may, and what becomes of it.

Only the API server imports it, when it is asked.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import NamedTuple

from daybook.days import as_day
from daybook.errors import BadSpec, DaybookError
from daybook.ledger import runs
from daybook.ledger.queries import is_begun
from daybook.pages.run_page import message_page
from daybook.pipelines import pipelines_now
from daybook.postgres.session import Connection, at_once
from daybook.publish.rollback_everywhere import Target, as_target, roll_back, targets_follow
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.text import one_line
from daybook_airflow.data import data_for_now
from daybook_airflow.hooks import files, postgres
from daybook_airflow.pages.answer import NO_DAYS, NOTHING, Answer, headers_of

LONGEST_REASON = 500
NOT_OUR_FORM = (
    "This form was not sent from the day's own page, or you have logged in again since: look at the day again."
)


class Stale(Exception):
    """Readers see another run by now than the page that was sent showed."""


class Asked(NamedTuple):
    """What a person asks for: the run to show, the reason, and the run that readers saw as the page showed it."""

    to: Target
    why: str
    seen: int | None


def token(credential: str, dag_id: str) -> str:
    """Return the word that only a page which this user has read can send back; "" if nobody is logged in.

    credential: the user's own, which Airflow has accepted. Another site can have a browser send the cookie, and can
    neither read it nor the page (OWASP, "Cross-Site Request Forgery Prevention": a token bound to the session).
    """
    if not credential:
        return ""
    return hmac.new(credential.encode(), f"daybook rollback {dag_id}".encode(), hashlib.sha256).hexdigest()


def credential_of(headers: Mapping[str, str], cookies: Mapping[str, str], cookie: str) -> str:
    """Return what a request was accepted by: a bearer token, which wins, or the cookie of that name, as in Airflow."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else cookies.get(cookie, "")


def is_ours(sent: str, expected: str) -> bool:
    """Return whether a form was sent from our own page."""
    return bool(expected) and hmac.compare_digest(sent.encode(), expected.encode())


def asked(to: str, why: str, seen: str) -> Asked:
    """Return what a form asks for. Raises ValueError for a word that is wrong or missing."""
    reason = one_line(why.strip())
    if not reason:
        raise ValueError("the reason is missing; nothing was changed; say why readers shall see another run")
    if len(reason) > LONGEST_REASON:
        raise ValueError(f"the reason has {len(reason):,} signs; nothing was changed; take at most {LONGEST_REASON}")
    saw = as_target(seen)
    return Asked(as_target(to), reason, saw if isinstance(saw, int) else None)


def roll_back_asked(pipeline: Pipeline, day: date, data: DataFolder, who: str, asked: Asked) -> None:
    """Show readers another run of a day, and keep who asked for it, and why, in the ledger.

    Raises Stale if readers see another run by now than the page showed; BadSpec if the run is not kept; and
    SourceUnavailable if the warehouse does not answer. Then nothing is changed.
    """
    warehouse = partial(postgres, pipeline.target.connection)
    if at_once(warehouse, lambda session: _seen(session, pipeline.name, day)) != asked.seen:
        raise Stale(
            f"{pipeline.name} {day}: readers see another run by now; nothing was changed; look at the day again"
        )
    roll_back(pipeline, day, warehouse, data, who, asked.why, asked.to)
    targets_follow(pipeline, day, warehouse, data, files, postgres)


def rollback_answer(
    dag_id: str, day: str, who: str, tokens: tuple[str, str], words: tuple[str, str, str]
) -> Answer | None:
    """Show readers another run of a day; return why not, or None if it is done.

    tokens: the one that was sent, and the expected one. words: the form's `to`, `why` and `seen`.
    """

    def refused(why: str, status: int) -> Answer:
        return Answer(message_page("Not rolled back", why), headers_of(NOTHING), status)

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return refused(NO_DAYS, 404)
    if not is_ours(*tokens):
        return refused(NOT_OUR_FORM, 403)
    try:
        roll_back_asked(pipeline, as_day(day), data_for_now(), who, asked(*words))
    except ValueError as error:
        return refused(str(error), 422)
    except (Stale, BadSpec) as error:
        return refused(str(error), 409)
    except DaybookError as error:
        return refused(str(error), 503)
    return None


def _seen(session: Connection, pipeline: str, day: date) -> int | None:
    found = runs.publication(session, pipeline, day) if is_begun(session) else None
    return found.run_id if found else None
