"""Restarts components that ended by themselves, a few times; one that ends again and again stops the deployment.

Otherwise a component that was killed, or gave up when its database went away, would cost a night's runs.
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
    """Counts recent restarts: each component may have three in ten minutes. say: called with a line for each."""

    say: Callable[[str], None]
    _times: dict[str, deque[float]] = field(default_factory=dict)

    def keep_up(self, postgres: LocalPostgres, components: Iterable[Component]) -> None:
        """Restart all that ended. Raises DeploymentError, with its last words, if one ends again and again."""
        # PostgreSQL first, because the others need it.
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
