"""The passwords and keys of a deployment: made once by chance, kept in one file that only its owner can read."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field, fields

from deployment.errors import DeploymentError
from deployment.home import Home, write_private
from deployment.secret_rules import faults

FILE = "secrets.json"


def _password() -> str:
    return secrets.token_urlsafe(24)


def _signing_key() -> str:
    # Airflow signs with HS512, whose key is to be at least as long as its hash, 64 bytes (RFC 7518, 3.2).
    return secrets.token_urlsafe(64)


def _fernet_key() -> str:
    # A Fernet key is 32 bytes in URL-safe base64, padding included (github.com/fernet/spec, "Key Format").
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Secrets:
    """Every secret of one deployment, by the name of who uses it. None of them has a default."""

    deployment: str = field(default_factory=_password)
    postgres: str = field(default_factory=_password)
    airflow: str = field(default_factory=_password)
    source_reader: str = field(default_factory=_password)
    source_owner: str = field(default_factory=_password)
    warehouse_owner: str = field(default_factory=_password)
    analyst: str = field(default_factory=_password)
    ftp: str = field(default_factory=_password)
    admin: str = field(default_factory=_password)
    viewer: str = field(default_factory=_password)
    fernet_key: str = field(default_factory=_fernet_key)
    jwt_secret: str = field(default_factory=_signing_key)
    api_secret_key: str = field(default_factory=_password)


def load_or_make(home: Home) -> Secrets:
    """Return the secrets of a home; what is not in its file yet is made and written there.

    Raises DeploymentError if one in the file is unfit: empty, short, a sample, or used twice.
    """
    file = home.path / FILE
    known = json.loads(file.read_text()) if file.exists() else {}
    if unfit := faults({name: str(value or "") for name, value in known.items()}):
        raise DeploymentError(
            f"{file}: {'; '.join(unfit)}; nothing was done; remove its line, and the next start makes a new one"
        )
    values = Secrets(**{one.name: known[one.name] for one in fields(Secrets) if one.name in known})
    if asdict(values) != known:
        write_private(file, json.dumps(asdict(values), indent=2))
    return values
