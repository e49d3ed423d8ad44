"""Opening a connection to a bucket of an object store: Amazon S3, or another that speaks its API at `endpoint_url`."""

import logging
import ssl
from functools import cache
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import Session
from pydantic import Field, model_validator

from daybook.errors import BadSpec
from daybook.ftp.connect import TIME_LIMIT_S
from daybook.spec import Value
from daybook.text import printable
from daybook.transports.s3 import Place, S3Line
from daybook.transports.s3_errors import NO_KEYS, translated_errors

# At INFO they write a line about each client into the task's log.
for name in ("boto3", "botocore"):
    logging.getLogger(name).setLevel(logging.WARNING)


class S3Bucket(Value):
    """A bucket, and the keys to it. All but user and password come from the connection's extra.

    user, password: the access key and its secret key; without them, those of the machine: its role, its environment,
    or its file of keys, of which `profile_name` may name another part than the default one. aws_session_token: belongs
    to temporary keys. prefix: the folder in which the paths of a spec begin. endpoint_url: of another store than
    Amazon's. addressing_style: the bucket stands in the path of an address, or in the name of its host. insecure: no
    TLS at all. ca_file: of a private CA, instead of the usual ones.
    """

    bucket: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$")
    prefix: str = ""
    user: str = ""
    password: str = Field("", repr=False)
    aws_session_token: str | None = Field(None, repr=False)
    profile_name: str | None = None
    region_name: str | None = None
    endpoint_url: str | None = None
    addressing_style: Literal["path", "virtual"] | None = None
    insecure: bool = False
    ca_file: str | None = None

    @model_validator(mode="after")
    def _words_go_together(self) -> "S3Bucket":
        if bool(self.user) != bool(self.password):
            raise BadSpec(
                f"{self.where}: login and password are the two keys, and one of them is missing; give both, or none "
                "for the machine's own"
            )
        if self.user and self.profile_name:
            raise BadSpec(f"{self.where}: profile_name and a login are both given; keep one of them")
        if self.aws_session_token and not self.user:
            raise BadSpec(f"{self.where}: aws_session_token belongs to a login and a password, which are missing")
        if (self.endpoint_url or "").startswith("http:") and not self.insecure:
            raise BadSpec(
                f"{self.where}: endpoint_url {self.endpoint_url!r} is refused: without TLS others on the way can read "
                'all; write https://, or accept it with the extra {"insecure": true} of the connection'
            )
        return self

    @property
    def where(self) -> str:
        """Return the start of messages."""
        return self._place.address

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no message may hold."""
        return tuple(filter(None, (self.password, self.aws_session_token)))

    def open(self, time_limit_s: float = TIME_LIMIT_S) -> S3Line:
        """Return a client for the bucket, which has answered once. time_limit_s: for every wait.

        Raises BadSpec if the keys, the bucket, the region or the certificate is refused; SourceUnavailable if the store
        cannot be reached.
        """
        # What is tried again, and told, is up to us.
        with translated_errors(self.where, self.secrets):
            line = S3Line(self.client(time_limit_s, 1), self._place, self.secrets)
        try:
            line.greet()
        except BaseException:
            line.close()
            raise
        return line

    def _check_ca_file(self) -> None:
        try:
            ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise BadSpec(
                f"{self.where}: the CA file {self.ca_file} cannot be read ({error.strerror}); no connection was "
                "opened; mend ca_file in the connection's extra"
            ) from None

    @property
    def _place(self) -> Place:
        folder = self.prefix.strip("/")
        return Place(self.bucket, f"{folder}/" if folder else "")

    def client(self, time_limit_s: float, tries: int) -> Any:
        """Return boto3's client of the bucket's store; nothing is asked yet. tries: of each request, at most.

        Raises BadSpec if a word of the connection cannot be right.
        """
        self._check_ca_file()
        keys = {
            "aws_access_key_id": self.user or None,
            "aws_secret_access_key": self.password or None,
            "aws_session_token": self.aws_session_token,
        }
        place = {"endpoint_url": self.endpoint_url, "verify": self.ca_file, "use_ssl": not self.insecure}
        try:
            session = boto3.session.Session(
                **keys, profile_name=self.profile_name, region_name=self.region_name, botocore_session=_session()
            )
            return session.client("s3", config=self._config(time_limit_s, tries), **place)
        except NO_KEYS:
            raise
        except ValueError as error:
            raise BadSpec(
                f"{self.where}: the connection cannot be right ({printable(str(error))}); no connection was opened; "
                "mend endpoint_url in its extra"
            ) from None

    def _config(self, time_limit_s: float, tries: int) -> Config:
        # Few stores beside Amazon's have a host's name for each bucket.
        style = self.addressing_style or ("path" if self.endpoint_url else "auto")
        return Config(
            connect_timeout=time_limit_s,
            read_timeout=time_limit_s,
            # With its hash signed, the store refuses what arrives otherwise than it was sent.
            s3={"addressing_style": style, "payload_signing_enabled": True},
            retries={"total_max_attempts": tries, "mode": "standard"},
            # Few stores beside Amazon's take its newer checksums of a request.
            request_checksum_calculation="when_required",
            # Our keys go nowhere but to the endpoint of the connection.
            ignore_configured_endpoint_urls=bool(self.user),
        )


def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Any:
    """Return what reads the description of S3's API: four fifths of the time that a client takes, if read each time."""
    return create_loader()
