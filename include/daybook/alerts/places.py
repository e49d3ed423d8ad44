"""Who is told: the places that a pipeline names, else those of its owner, else those of the whole deployment.

DAYBOOK_ALERTS_TO       addresses of mail, with commas between
DAYBOOK_ALERTS_SLACK    the id of the connection of a Slack webhook
DAYBOOK_ALERTS_WEBHOOK  the id of the connection of any other
DAYBOOK_ALERTS_MAIL     the id of the connection of the mail server; smtp_default unless it is set
DAYBOOK_ALERTS_OWNERS   the same by owner, as JSON: {"finance": {"to": ["finance@example.com"]}}
"""

import json
import os
from collections.abc import Mapping

from daybook.alerts.variables import OWNERS, SLACK, TO, WEBHOOK
from daybook.errors import BadSpec
from daybook.spec import Alerts, Pipeline
from daybook.spec.alerts import ADDRESS


def places(pipeline: Pipeline | None, variables: Mapping[str, str] = os.environ) -> Alerts | None:
    """Return who is told of a pipeline, or of what is none's; None if nobody is. Raises BadSpec for a bad variable."""
    if pipeline is None:
        return _of_deployment(variables)
    return pipeline.alerts or _of_owner(pipeline.owner, variables) or _of_deployment(variables)


def _of_owner(owner: str, variables: Mapping[str, str]) -> Alerts | None:
    owners = _read_owners(variables.get(OWNERS) or "{}")
    if owner in owners:
        return _built(f"{OWNERS}, {owner!r}", **owners[owner])
    return Alerts(to=(owner,)) if ADDRESS.fullmatch(owner) else None


def _of_deployment(variables: Mapping[str, str]) -> Alerts | None:
    to = tuple(filter(None, (one.strip() for one in variables.get(TO, "").split(","))))
    slack, webhook = variables.get(SLACK) or None, variables.get(WEBHOOK) or None
    if not (to or slack or webhook):
        return None
    return _built(f"{TO}, {SLACK} and {WEBHOOK}", to=to, slack=slack, webhook=webhook)


def _built(where: str, **words: object) -> Alerts:
    try:
        return Alerts(**words)
    except BadSpec as error:
        raise BadSpec(f"{where}: {error}") from None


def _read_owners(written: str) -> dict[str, dict[str, object]]:
    try:
        owners = json.loads(written)
        if isinstance(owners, dict) and all(isinstance(words, dict) for words in owners.values()):
            return owners
    except ValueError:
        pass
    raise BadSpec(f'{OWNERS}: it takes JSON such as {{"finance": {{"to": ["finance@example.com"]}}}}')
