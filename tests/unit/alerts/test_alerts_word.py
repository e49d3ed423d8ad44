"""The word `Alerts` of a spec: who is told is checked when the spec is built, and no secret is repeated."""

from collections.abc import Callable

import pytest

from daybook.errors import BadSpec
from daybook.spec import Alerts

URL = "https://hooks.slack.example/services/canary"


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Alerts(), "it tells nobody: give `to`, `slack` or `webhook`"),
        (lambda: Alerts(to=("ops",)), "'ops' is no address of mail"),
        (lambda: Alerts(to=("ops@example.com\r\nBcc: all@example.com",)), "is no address of mail"),
        (lambda: Alerts(to=("a@example.com, b@example.com",)), "in each place"),
        (lambda: Alerts(slack=URL), "it takes the id of a connection of Airflow"),
        (lambda: Alerts(webhook=URL), "its address is a secret"),
        (lambda: Alerts(**{"web_hook": "pager"}), "did you mean 'webhook'?"),
    ],
    ids=["nobody", "name", "header", "two", "slack", "webhook", "word"],
)
def test_a_wrong_place_is_refused_with_its_mend_and_without_a_secret(build: Callable[[], object], says: str) -> None:
    with pytest.raises(BadSpec) as refused:
        build()
    assert says in str(refused.value)
    assert "canary" not in str(refused.value)
