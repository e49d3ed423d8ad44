"""Who is told by mail, Slack or a webhook if a day of a pipeline fails, is late, or goes well again."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from daybook.spec.value import Value

# One address, as a header takes it without quotes: no blank, no comma, no sign that is not printed.
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
CONNECTION = re.compile(r"[A-Za-z0-9_.-]+")


class Alerts(Value):
    """Who is told if a day fails, is late, or goes well again.

    What is set here replaces the owner's places and the deployment's (docs/operating.md). The addresses of servers, and
    all secrets, are in Airflow's connections: here are only their ids.
    """

    to: tuple[str, ...] = ()
    """Addresses of mail."""
    # No message repeats what stands here: people write the whole address, which is a secret.
    slack: str | None = Field(default=None, repr=False)
    """The id of a connection that holds the address of a Slack webhook."""
    webhook: str | None = Field(default=None, repr=False)
    """The id of a connection that holds any other address, which is sent JSON."""

    @field_validator("to")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [address for address in addresses if not ADDRESS.fullmatch(address)]:
            raise ValueError(f"{wrong[0]!r} is no address of mail; it takes one like 'team@example.com' in each place")
        return addresses

    @field_validator("slack", "webhook")
    @classmethod
    def _is_an_id(cls, connection: str | None) -> str | None:
        if connection is not None and not CONNECTION.fullmatch(connection):
            raise ValueError("it takes the id of a connection of Airflow; its address is a secret, and is kept there")
        return connection

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if not (self.to or self.slack or self.webhook):
            raise ValueError("it tells nobody: give `to`, `slack` or `webhook`")
        return self
