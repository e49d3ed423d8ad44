"""The errors of an Airflow that is asked, and of the servers around it."""

from daybook.errors import DaybookError


class DeploymentError(DaybookError):
    """Mend the deployment: a server, a login or a right. The message says what, where, what was found, what to do."""


class ApiError(DeploymentError):
    """Airflow's API does not answer (`status` is None) or refuses. `detail` is its own message."""

    def __init__(self, message: str, status: int | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class LoginRefused(ApiError):
    """Mend the login: the user, the password or the token is wrong, or the token is too old."""
