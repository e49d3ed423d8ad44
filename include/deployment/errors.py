"""What can go wrong with a local deployment and what a person can do about it."""

from pathlib import Path

from daybook_airflow.errors import DeploymentError

__all__ = ["TAIL_LINES", "DeploymentError", "RunFailed", "tail", "with_log"]

TAIL_LINES = 25


class RunFailed(DeploymentError):
    """A run of Airflow came to its end, and not well: the day is not as it was asked to be."""


def with_log(message: str, log: Path) -> DeploymentError:
    """Return an error that shows the last lines of a log and says where the rest is."""
    return DeploymentError(f"{message}\nThe last lines of {log}:\n\n{tail(log)}")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log; the empty string where there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
