"""The data folder that an address names: a folder of this machine, or one in a bucket by a connection of Airflow.

    /srv/daybook, file:///srv/daybook
    s3://CONNECTION@BUCKET/FOLDER
    s3://BUCKET/FOLDER                  with the machine's own keys

Used alike by tasks, pages and commands; where a connection is looked up is up to the caller.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from daybook.errors import BadSpec
from daybook.storage.data_folder import DataFolder
from daybook.storage.store import StorePath

WRITE = "write a folder, file:///FOLDER, or s3://CONNECTION@BUCKET/FOLDER"
OF_STORES = ("aws", "s3")


def data_at(address: str, find: Callable[[str], dict[str, Any]]) -> DataFolder:
    """Return the data folder of an address; nothing is asked yet.

    find: returns the words of a connection by its id: conn_type, login, password and extra, a dict. Raises BadSpec if
    the address or a word of the connection is refused.
    """
    scheme, is_url, rest = address.partition("://")
    if not is_url:
        return DataFolder(Path(address))
    if scheme == "file" and not rest.startswith("/"):
        raise BadSpec(f"DAYBOOK_DATA={address!r} is refused: file:// begins a whole path; {WRITE}")
    if scheme == "file":
        return DataFolder(Path(rest))
    if scheme != "s3":
        raise BadSpec(f"DAYBOOK_DATA={address!r} is refused: {scheme}:// is no place for files; {WRITE}")
    return DataFolder(_in_bucket(address, find))


def is_on_disk(address: str) -> bool:
    """Return whether an address names a folder of this machine."""
    return address.partition("://")[0] == "file" or "://" not in address


def _in_bucket(address: str, find: Callable[[str], dict[str, Any]]) -> StorePath:
    # boto3 takes longer to import than a command without it takes in all.
    from daybook.transports.s3_bucket import S3Bucket
    from daybook.transports.s3_store import S3Store

    parts = urlsplit(address)
    connection, _, bucket = parts.netloc.rpartition("@")
    folder = parts.path.strip("/")
    if not bucket or ":" in connection or parts.query or parts.fragment:
        raise BadSpec(f"DAYBOOK_DATA={_without_keys(address)!r} is refused; {WRITE}")
    words = _words_of(connection, find) if connection else {}
    return StorePath(S3Store(S3Bucket(**words, bucket=bucket), connection), folder)


def _words_of(connection: str, find: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    words = find(connection)
    if words.get("conn_type") not in OF_STORES:
        raise BadSpec(
            f"{connection}: connection type {words.get('conn_type')!r} opens no bucket; expected "
            f"{' or '.join(OF_STORES)}; mend the connection, or name another one in DAYBOOK_DATA"
        )
    named = {"user": words.get("login"), "password": words.get("password")}
    # Its own bucket and prefix are those of sources.
    extra = {word: value for word, value in words["extra"].items() if word not in ("bucket", "prefix")}
    return {word: value for word, value in named.items() if value} | extra


def _without_keys(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else address
