"""Starts again what has ended by itself, a few times in a row; what ends again and again stops the deployment.

A component that was killed, or that gave up when its database went away, would else take a night's runs with it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deployment.errors import DeploymentError
from deployment.processes.components import Component
from deployment.servers.postgres import LocalPostgres

MOST = 3
WITHIN_SECONDS = 600.0


@dataclass
class Restarts:
    """Which parts were started again lately: each may be three times in ten minutes. say: is told each, in a line."""

    say: Callable[[str], None]
    _times: dict[str, deque[float]] = field(default_factory=dict)

    def keep_up(self, postgres: LocalPostgres, components: Iterable[Component]) -> None:
        """Start again what is not running any more. Raises DeploymentError, with its last words, where that is vain."""
        # First, because the others need it.
        if not postgres.is_running():
            self._note("PostgreSQL", DeploymentError(f"PostgreSQL ended by itself; its log is {postgres.log}."))
            postgres.start()
        for component in components:
            if error := component.ended_by_itself():
                self._note(component.name, error)
                component.start_again()

    def _note(self, name: str, error: DeploymentError) -> None:
        times = self._times.setdefault(name, deque(maxlen=MOST))
        if len(times) == MOST and time.monotonic() - times[0] < WITHIN_SECONDS:
            raise DeploymentError(f"{name} was started again {MOST} times in {WITHIN_SECONDS / 60:.0f} min. {error}")
        times.append(time.monotonic())
        self.say(f"{str(error).splitlines()[0]} It is started again.")
