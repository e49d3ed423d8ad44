"""A user's handlers: found when their modules load, called with a time limit, and never able to break a task.

They lie in the modules of include/pipelines, or in `include/pipelines/_events.py`, which is loaded if it is there.
"""

import importlib
import importlib.util
import logging
import threading
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from daybook.errors import BadSpec
from daybook.events.happening import Event, Happening
from daybook.text import nearest, one_line

log = logging.getLogger(__name__)
Handler = Callable[[Happening], object]
SECONDS = 5.0
MODULE = "pipelines._events"


class _Known(NamedTuple):
    handler: Handler
    event: Event
    pipeline: str | None
    seconds: float


# By module, name, event and pipeline: a module that is loaded again replaces its handlers.
_handlers: dict[tuple[str, str, Event, str | None], _Known] = {}


def on_event(
    event: Event | str, *, pipeline: str | None = None, seconds: float = SECONDS
) -> Callable[[Handler], Handler]:
    """Return a decorator that has a function called with a `Happening` for each event of this kind.

    pipeline: only for events of the pipeline with this name. seconds: how long the handler may take; after that the
    task goes on without it, and it is not called again by the same process. Raises BadSpec if there is no such event.
    """
    known = _event(event)
    if not seconds > 0:
        raise BadSpec(f"on_event({known.name}, seconds={seconds!r}): a time limit is more than 0 seconds")

    def decorate(handler: Handler) -> Handler:
        name = getattr(handler, "__qualname__", repr(handler))
        _handlers[handler.__module__, name, known, pipeline] = _Known(handler, known, pipeline, seconds)
        return handler

    return decorate


def tell(happening: Happening) -> None:
    """Call the handlers of an event, in the order of their definition. Raises nothing that a handler raises."""
    _load_module()
    for key, known in list(_handlers.items()):
        if known.event == happening.event and known.pipeline in (None, happening.pipeline):
            _call(key, known, happening)


def _event(event: Event | str) -> Event:
    try:
        return Event(event.lower())
    except ValueError:
        words = [one.name for one in Event]
        raise BadSpec(f"on_event({event!r}): no such event{nearest(event, words)}") from None


@cache
def _load_module() -> None:
    try:
        if importlib.util.find_spec(MODULE):
            importlib.import_module(MODULE)
    except Exception as error:
        log.exception("%s does not load, so its handlers are not called: %s", MODULE, _said(error))


def _call(key: tuple[str, str, Event, str | None], known: _Known, happening: Happening) -> None:
    raised: list[BaseException] = []
    # Not the task's own thread: only so can it go on without a handler that hangs.
    thread = threading.Thread(target=_run, args=(known.handler, happening, raised), daemon=True)
    thread.start()
    thread.join(known.seconds)
    where = f"{key[0]}.{key[1]}"
    if thread.is_alive():
        _handlers.pop(key, None)
        log.error(
            "handler %s of %s takes over %s s; the task goes on without it", where, known.event.name, known.seconds
        )
    for error in raised:
        log.error("handler %s of %s failed; the task goes on: %s", where, known.event.name, _said(error))


def _run(handler: Handler, happening: Happening, raised: list[BaseException]) -> None:
    try:
        handler(happening)
    except BaseException as error:
        # SystemExit too: a handler ends nothing but itself.
        raised.append(error)


def _said(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")
