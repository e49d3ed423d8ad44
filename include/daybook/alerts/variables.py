"""The variables that say who is told, and the connections that they name. The words of a pipeline are in places.py.

It needs no library, for commands that start and stop a deployment.
"""

import os
from collections.abc import Mapping

TO, SLACK, WEBHOOK = "DAYBOOK_ALERTS_TO", "DAYBOOK_ALERTS_SLACK", "DAYBOOK_ALERTS_WEBHOOK"
OWNERS, MAIL = "DAYBOOK_ALERTS_OWNERS", "DAYBOOK_ALERTS_MAIL"
DEFAULT_MAIL = "smtp_default"


def mail_connection(variables: Mapping[str, str] = os.environ) -> str:
    """Return the id of the connection of the mail server."""
    return variables.get(MAIL) or DEFAULT_MAIL


def connections_of_alerts(variables: Mapping[str, str] = os.environ) -> list[str]:
    """Return the ids of the connections that the deployment's own places need."""
    return [mail_connection(variables), *filter(None, (variables.get(SLACK), variables.get(WEBHOOK)))]
