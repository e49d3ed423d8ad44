"""Which alerts are told now, which are only counted, and which are told together later: pure, without a clock.

The first alert of a group is told at once. Those that follow within the window are gathered, and told in one message at
its end, which says how many they are. Good news is told of what was told before, and of nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from daybook.alerts.alert import Alert

WINDOW = timedelta(minutes=15)
# An event that is found twice, such as by the listener and by the DAG, is told once.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Told:
    """What was told. seen: events by their identity; open: what is wrong; failed: the failed runs in a row of a DAG;
    until: the ends of the windows by group; more: the alerts gathered in them. Moments are ISO texts.
    """

    seen: Mapping[str, str] = field(default_factory=dict)
    open: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    until: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)

    def words(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        more = {group: [alert.words() for alert in alerts] for group, alerts in self.more.items()}
        named = {"seen": self.seen, "open": self.open, "failed": self.failed, "until": self.until}
        return {**{name: dict(value) for name, value in named.items()}, "more": more}

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Self:
        """Return what such words hold; nothing was told if there are none."""
        more = {group: tuple(map(Alert.of, alerts)) for group, alerts in words.get("more", {}).items()}
        return cls(**{**words, "more": more})


@dataclass(frozen=True)
class Telling:
    """What was told with one alert more, and the alerts to tell now, of one subject."""

    told: Told
    now: tuple[Alert, ...] = ()


def tell(told: Told, alert: Alert, now: datetime, window: timedelta = WINDOW) -> Telling:
    """Take an alert in; tell it now, or gather it. An event that was seen before, and no news, changes nothing."""
    if alert.identity in told.seen or not _is_news(told, alert):
        return Telling(told)
    told = replace(told, seen={**told.seen, alert.identity: now.isoformat()}, open=_open(told, alert, now))
    if alert.group in told.until:
        more = {**told.more, alert.group: (*told.more.get(alert.group, ()), alert)}
        return Telling(replace(told, more=more))
    return Telling(replace(told, until={**told.until, alert.group: (now + window).isoformat()}), (alert,))


def close(told: Told, now: datetime, window: timedelta = WINDOW) -> tuple[Told, list[tuple[Alert, ...]]]:
    """End the windows that are over; return what was gathered in each. One that gathered something begins again."""
    over = sorted(group for group, until in told.until.items() if datetime.fromisoformat(until) <= now)
    gathered = [told.more[group] for group in over if told.more.get(group)]
    until = {group: end for group, end in told.until.items() if group not in over}
    until |= {group: (now + window).isoformat() for group in over if told.more.get(group)}
    more = {group: alerts for group, alerts in told.more.items() if group not in over}
    seen = {identity: at for identity, at in told.seen.items() if now - datetime.fromisoformat(at) < KEPT}
    return replace(told, until=until, more=more, seen=seen), gathered


def waits_until(told: Told) -> datetime | None:
    """Return when the next window ends in which something is gathered; None if none does."""
    ends = [told.until[group] for group in told.more if group in told.until]
    return min(map(datetime.fromisoformat, ends), default=None)


def count_run(told: Told, dag_id: str, *, has_failed: bool) -> Told:
    """Count the failed runs in a row of a DAG."""
    return replace(told, failed={**told.failed, dag_id: told.failed.get(dag_id, 0) + 1 if has_failed else 0})


def open_of(told: Told, what: str) -> list[str]:
    """Return what is wrong of a kind, such as "late flights", without the kind."""
    return [key.removeprefix(f"{what} ") for key in told.open if key.startswith(f"{what} ")]


def _is_news(told: Told, alert: Alert) -> bool:
    is_open = [about in told.open for about in alert.about]
    if alert.is_good:
        return any(is_open)
    # A failed run or file is news each time; that a day is late, or a part dead, is news once.
    return alert.kind in ("failed", "broken") or not all(is_open)


def _open(told: Told, alert: Alert, now: datetime) -> dict[str, str]:
    left = {about: since for about, since in told.open.items() if about not in alert.about}
    return left if alert.is_good else {**left, **_since(told, alert.about, now)}


def _since(told: Told, about: Iterable[str], now: datetime) -> dict[str, str]:
    return {one: told.open.get(one, now.isoformat()) for one in about}
