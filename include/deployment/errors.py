"""The errors of a local deployment that a person can mend."""

from pathlib import Path

from daybook_airflow.errors import DeploymentError

__all__ = ["TAIL_LINES", "DeploymentError", "RunFailed", "tail", "with_log"]

TAIL_LINES = 25


class RunFailed(DeploymentError):
    """A run of Airflow has ended, but the day is not published as asked."""


def with_log(message: str, log: Path) -> DeploymentError:
    """Return an error that shows the last lines of a log and says where the rest is."""
    return DeploymentError(f"{message}\nThe last lines of {log}:\n\n{tail(log)}")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log; the empty string if there is no such file."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
