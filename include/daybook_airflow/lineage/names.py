"""The names of datasets, by OpenLineage's rules (openlineage.io/docs/spec/naming): where something is, no more.

They are made from a connection's type, host, port and place, so no login, no password and no query is part of one.
"""

import posixpath
from typing import NamedTuple

from daybook.transports.open import Stored

POSTGRES_PORT = 5432
# OpenLineage has no rule for these: the address itself is the namespace.
SCHEMES = {"": "ftp", "ftp": "ftp", "ftps": "ftp", "sftp": "sftp", "ssh": "sftp", "https": "https", "http": "https"}
PORTS = {"ftp": 21, "sftp": 22, "https": 443, "http": 80}


class Name(NamedTuple):
    """A dataset's name, and the namespace in which nothing else has it."""

    namespace: str
    name: str


def of_table(stored: Stored, schema: str, table: str) -> Name:
    """Return the name of a table or view of PostgreSQL. Without a database, libpq takes the login's name for it."""
    address = _address(stored, POSTGRES_PORT)
    return Name(f"postgres://{address}", f"{stored.schema or stored.login}.{schema}.{table}")


def of_file(stored: Stored, path: str) -> Name:
    """Return the name of a file on a server, in a bucket or in a folder. path: as a spec writes it."""
    if stored.kind in ("fs", "file"):
        folder = stored.extra.get("path") or f"/{stored.schema or ''}"
        return Name("file", posixpath.join(str(folder), path.lstrip("/")))
    if stored.kind in ("aws", "s3"):
        bucket, prefix = stored.extra.get("bucket") or stored.host, stored.extra.get("prefix") or stored.schema or ""
        return Name(f"s3://{bucket}", posixpath.join(str(prefix), path.lstrip("/")).lstrip("/"))
    scheme = SCHEMES[stored.kind]
    if scheme == "https":
        # A web server may take a signature or a token there.
        path = path.partition("?")[0]
        scheme = "http" if stored.extra.get("insecure") else scheme
    return Name(f"{scheme}://{_address(stored, PORTS[scheme])}", path.lstrip("/"))


def _address(stored: Stored, port: int) -> str:
    host = (stored.host or "localhost").rpartition("@")[2]
    return f"{f'[{host}]' if ':' in host else host}:{stored.port or port}"
