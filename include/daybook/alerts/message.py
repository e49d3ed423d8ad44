"""A message in words: its subject, plain text, HTML, Slack's text, and JSON. Any text may be from outside.

Each line is made safe first: a sign that is not printed becomes an escape, so no text begins a header, a line or a
terminal's command. Then HTML and Slack take their own signs away from it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from html import escape
from typing import Any

from daybook.alerts.alert import Alert
from daybook.environment import environment
from daybook.text import counted, one_line, spell

# Of one message; what is left out is counted.
SHOWN = 20
SUBJECT_LENGTH = 150
# A line of a mail has at most 998 signs (RFC 5322, 2.1.1); a longer error is in the log.
LINE_LENGTH = 900
STATES = {
    "failed": "failed",
    "held": "held: it waits for a decision",
    "recovered": "recovered",
    "late": "late",
    "published": "published after its time",
    "behind": "a place that follows is behind",
    "followed": "every place has what readers see",
    "broken": "cannot be loaded",
    "mended": "has no import error any more",
    "dead": "does not answer",
    "alive": "answers again",
}
LINKS = {"run": "Run", "day": "Day", "log": "Log"}


def subject(alerts: Sequence[Alert], *, is_more: bool) -> str:
    """Return the subject: one line, with the environment. is_more: the alerts follow one that was told before."""
    first, days = alerts[0], _days(alerts)
    where = f"daybook {environment()}" if environment() else "daybook"
    said = STATES[first.kind] if not first.step or is_more else f"{first.step} failed"
    count = f"{len(alerts)} more: " if is_more else ""
    return _cut(f"[{where}] {first.subject}{f' {days}' if days else ''}: {count}{said}", SUBJECT_LENGTH)


def lines(alerts: Sequence[Alert], *, is_more: bool) -> list[str]:
    """Return the plain text's lines, each safe for a terminal."""
    return [_cut(line, LINE_LENGTH) for line in _lines(alerts, is_more=is_more)]


def plain(alerts: Sequence[Alert], *, is_more: bool) -> str:
    """Return the plain text."""
    return "\n".join(lines(alerts, is_more=is_more)) + "\n"


def html(alerts: Sequence[Alert], *, is_more: bool) -> str:
    """Return the same as HTML. Only addresses that Daybook made are links."""
    links = {address for alert in alerts for address in alert.links.values()}
    body = "<br>\n".join(_html_line(line, links) for line in lines(alerts, is_more=is_more))
    return f'<!doctype html><html><body style="font-family: sans-serif">{body}</body></html>'


def slack(alerts: Sequence[Alert], *, is_more: bool) -> dict[str, Any]:
    """Return what a Slack webhook takes: text without formatting, mentions, or previews of addresses."""
    said = "\n".join([subject(alerts, is_more=is_more), *lines(alerts, is_more=is_more)])
    # Its three own signs (Slack, "Escaping text"): without them there is no mention, such as <!channel>, and no link.
    text = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quiet = {"mrkdwn": False, "parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
    return {"text": text, **quiet}


def payload(alerts: Sequence[Alert], *, is_more: bool) -> dict[str, Any]:
    """Return what any other webhook takes: the message's words, and the alerts with their parts."""
    said = {"subject": subject(alerts, is_more=is_more), "text": plain(alerts, is_more=is_more)}
    parts = [_parts(alert) for alert in alerts[:SHOWN]]
    return {**said, "environment": environment() or "production", "count": len(alerts), "alerts": parts}


def _parts(alert: Alert) -> dict[str, Any]:
    words = ("kind", "subject", "at", "days", "step", "error", "mend", "again", "run", "notes", "links")
    return {word: _safe(alert.words()[word]) for word in words}


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value, LINE_LENGTH)
    if isinstance(value, dict):
        return {name: _safe(one) for name, one in value.items()}
    return [_safe(one) for one in value]


def _lines(alerts: Sequence[Alert], *, is_more: bool) -> Iterator[str]:
    if is_more:
        days = f": {_days(alerts)}" if _days(alerts) else ""
        yield f"{counted(len(alerts), 'alert')} followed the one that was told before{days}"
        yield ""
    for same in _alike(alerts)[:SHOWN]:
        yield from _one(same)
    if len(_alike(alerts)) > SHOWN:
        yield f"and {len(_alike(alerts)) - SHOWN} others"


def _one(same: Sequence[Alert]) -> Iterator[str]:
    first, days = same[-1], _days(same)
    step = f": the step {first.step}" if first.step else ""
    times = f", {len(same)} times" if len(same) > 1 else ""
    yield f"{first.subject}{f', {days}' if days else ''}{step} {STATES[first.kind]}{times}"
    yield from filter(None, (first.error, *first.notes))
    yield from (f"{word}: {said}" for word, said in (("To mend", first.mend), ("Again", first.again)) if said)
    yield from (f"{LINKS[what]}: {address}" for what, address in first.links.items() if what in LINKS)
    yield ""


def _alike(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """Return the alerts that say the same of different days, together, in the order of the first of each."""
    found: dict[tuple[str, ...], list[Alert]] = {}
    for alert in alerts:
        found.setdefault((alert.subject, alert.kind, alert.step, cause(alert.error)), []).append(alert)
    return list(found.values())


def cause(error: str) -> str:
    """Return an error without its numbers, so that the same error of two days is the same."""
    return re.sub(r"[0-9]+", "#", error)


def _days(alerts: Sequence[Alert]) -> str:
    return spell(tuple(sorted({date.fromisoformat(day) for alert in alerts for day in alert.days})))


def _cut(text: str, length: int) -> str:
    safe = one_line(text)
    return safe if len(safe) <= length else f"{safe[: length - 1]}…"


def _html_line(line: str, links: set[str]) -> str:
    title, sign, address = line.partition(": ")
    if sign and address in links and title in LINKS.values():
        return f'{title}: <a href="{escape(address)}">{escape(address)}</a>'
    return escape(line)
