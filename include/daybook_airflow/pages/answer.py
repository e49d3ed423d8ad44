"""A page as a response takes it, and what browsers may do with it."""

from typing import NamedTuple

# The pages hold text from outside, and share their origin with Airflow's UI: nothing in them may run or load.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'"
RUN_PAGE_POLICY = f"{NOTHING}; frame-src 'self'"
# Of whoever may roll a day back: the form is sent to where the page is from.
FORM_POLICY = RUN_PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")
REPORT_POLICY = f"{NOTHING}; img-src data:; sandbox"

NO_DAYS = "This DAG is no pipeline of Daybook, so it has no days."


class Answer(NamedTuple):
    """A page, as a response takes it."""

    content: bytes
    headers: dict[str, str]
    status_code: int = 200


def headers_of(policy: str) -> dict[str, str]:
    """Return the headers of a page with a content security policy."""
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
