"""Handlers of events: who is called, with what, and that none of them breaks or holds a task."""

import re
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from runpy import run_path

import pytest

from daybook.errors import BadSpec
from daybook.events import handlers
from daybook.events.handlers import on_event, tell
from daybook.events.happening import Event, Happening
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "events.md").read_text()


@pytest.fixture(autouse=True)
def no_others() -> Iterator[None]:
    """No handler but those of the test."""
    before = dict(handlers._handlers)
    handlers._handlers.clear()
    yield
    handlers._handlers.clear()
    handlers._handlers.update(before)


def failure(pipeline: str = "flights", error: str = "") -> Happening:
    """Return the failure of a step."""
    return Happening(Event.FAILURE, pipeline, (date(2013, 1, 5),), "clean", "run_1", error=error)


def load(folder: Path, module: str) -> None:
    """Load a module of the user's."""
    file = folder / "_events.py"
    file.write_text(module)
    run_path(str(file), {"on_event": on_event}, "pipelines._events")


def test_a_handler_is_called_for_its_event_and_its_pipeline_alone() -> None:
    own: list[Happening] = []
    every: list[Happening] = []
    on_event(Event.FAILURE, pipeline="flights")(own.append)
    on_event("failure")(every.append)
    for happening in (failure(), failure("sales"), Happening(Event.START, "flights")):
        tell(happening)
    assert own == [failure()]
    assert every == [failure(), failure("sales")]


@pytest.mark.parametrize("error", [ValueError("\x1b[31mno\nline"), SystemExit(3), KeyboardInterrupt()], ids=type)
def test_a_handler_that_raises_is_logged_in_one_safe_line_and_the_others_are_called(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    @on_event(Event.FAILURE)
    def broken(_happening: Happening) -> None:
        raise error

    called: list[Happening] = []
    on_event(Event.FAILURE)(called.append)
    tell(failure())
    assert called == [failure()]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.isprintable()
    assert f"broken of FAILURE failed; the task goes on: {type(error).__name__}" in said


def test_a_handler_that_hangs_is_left_behind_and_not_called_again(caplog: pytest.LogCaptureFixture) -> None:
    let_go, calls = threading.Event(), list[Happening]()

    @on_event(Event.FAILURE, seconds=0.01)
    def hangs(happening: Happening) -> None:
        calls.append(happening)
        let_go.wait()

    tell(failure())
    tell(failure())
    let_go.set()
    assert len(calls) == 1
    assert "hangs of FAILURE takes over 0.01 s; the task goes on without it" in caplog.text


def test_a_module_that_is_loaded_again_replaces_its_handlers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for word in ("first", "second"):
        load(tmp_path, f"@on_event('FAILURE')\ndef note(happening):\n    print('{word}')\n")
    tell(failure())
    assert capsys.readouterr().out == "second\n"


def test_an_event_that_is_none_and_a_limit_that_is_none_are_refused() -> None:
    with pytest.raises(BadSpec, match=r"on_event\('FAILURES'\): no such event.*FAILURE"):
        on_event("FAILURES")
    with pytest.raises(BadSpec, match=r"on_event\(START, seconds=0\)"):
        on_event(Event.START, seconds=0)


def test_hostile_text_reaches_a_handler_without_control_characters() -> None:
    hostile = "a\r\nb\x1b[2J\u202e\"';--\x00"
    happening = Happening(Event.FAILURE, hostile, (), hostile, hostile, error=hostile)
    for text in (happening.pipeline, happening.step, happening.run, happening.error):
        assert text.isprintable()
        assert text.startswith(r"a\r\nb\x1b[2J")


def test_the_example_of_the_document_runs_and_its_table_has_every_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    load(tmp_path, example)
    tell(failure(error="no rows"))
    tell(failure("sales"))
    assert capsys.readouterr().out == "flights 2013-01-05, clean: no rows\n"
    assert re.findall(r"^\| `([A-Z_]+)` ", DOCUMENT, re.MULTILINE) == [event.name for event in Event]
