"""A signal interrupts once, and not while something is being started."""

import os
import signal
from collections.abc import Iterator

import pytest

from deployment.processes.signals import NUMBERS, Interrupted, Signals


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def signals(said: list[str]) -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signals = Signals(said.append)
    signals.open()
    yield signals
    signals.restore()
    assert {number: signal.getsignal(number) for number in NUMBERS} == before


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_interrupts_and_says_which_it_was(signals: Signals, number: int) -> None:
    with pytest.raises(Interrupted) as interruption:
        os.kill(os.getpid(), number)
    assert interruption.value.number == number


def test_the_second_only_has_a_person_told(signals: Signals, said: list[str]) -> None:
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert len(said) == 2


def test_one_that_comes_while_something_is_started_waits_for_it(signals: Signals) -> None:
    started = []

    def start() -> None:
        with signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
            started.append("whole")

    with pytest.raises(Interrupted):
        start()
    assert started == ["whole"]


def test_none_interrupts_while_everything_is_stopped(signals: Signals, said: list[str]) -> None:
    signals.close()
    os.kill(os.getpid(), signal.SIGHUP)
    assert said == ["Stopping already; a moment, so that no process is left behind."]
