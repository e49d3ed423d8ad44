"""Which place DAYBOOK_DATA names, and which words of it are refused."""

from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.storage.store import StorePath
from daybook.transports.data_place import data_at
from daybook.transports.s3_bucket import S3Bucket
from daybook.transports.s3_store import S3Store

SECRET = "canary-5c1d"  # noqa: S105 - is looked for in messages
KEYS = {"login": "KEY", "password": SECRET}
CONNECTIONS: dict[str, dict[str, Any]] = {
    "files": {
        "conn_type": "aws",
        **KEYS,
        "extra": {"region_name": "eu-west-1", "bucket": "of-sources", "prefix": "in"},
    },
    "role": {"conn_type": "s3", "login": None, "password": None, "extra": {}},
    "ftp": {"conn_type": "ftp", **KEYS, "extra": {}},
    "half": {"conn_type": "aws", "login": "KEY", "password": None, "extra": {}},
    "odd": {"conn_type": "aws", **KEYS, "extra": {"regoin": "eu-west-1"}},
}


@pytest.mark.parametrize("address", ["/srv/my data", "file:///srv/my data"])
def test_a_folder_of_this_machine_is_a_path_or_a_file_url(address: str) -> None:
    assert data_at(address, CONNECTIONS.__getitem__).root.path == Path("/srv/my data")


@pytest.mark.parametrize(
    ("address", "bucket", "folder"),
    [
        ("s3://files@data", S3Bucket(bucket="data", user="KEY", password=SECRET, region_name="eu-west-1"), ""),
        ("s3://role@data/a/b/", S3Bucket(bucket="data"), "a/b"),
        ("s3://data/a", S3Bucket(bucket="data"), "a"),
    ],
)
def test_a_bucket_is_opened_by_a_connections_keys_or_the_machines_own(
    address: str, bucket: S3Bucket, folder: str
) -> None:
    name = address.removeprefix("s3://").rpartition("@")[0]
    path = data_at(address, CONNECTIONS.__getitem__).root.path
    assert path == StorePath(S3Store(bucket, name), folder)
    assert str(path) == f"s3://{name}{'@' if name else ''}data/{folder}"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("gs://data/a", r"DAYBOOK_DATA='gs://data/a' is refused: gs:// is no place for files; write a folder"),
        ("s3://", "DAYBOOK_DATA='s3://' is refused; write a folder, file:///FOLDER, or s3://CONNECTION@BUCKET/FOLDER"),
        (f"s3://KEY:{SECRET}@data/a", r"DAYBOOK_DATA='s3://…@data/a' is refused"),
        ("s3://files@data/a?region=x", "is refused"),
        ("file://data", r"DAYBOOK_DATA='file://data' is refused: file:// begins a whole path"),
        ("s3://ftp@data", "ftp: connection type 'ftp' opens no bucket; expected aws or s3; mend the connection"),
        ("s3://half@data", "login and password are the two keys"),
        ("s3://odd@data", "regoin"),
        ("s3://files@d", "bucket"),
    ],
)
def test_what_names_no_place_is_refused_and_no_key_is_told(address: str, told: str) -> None:
    with pytest.raises(BadSpec, match=told) as raised:
        data_at(address, CONNECTIONS.__getitem__)
    assert SECRET not in str(raised.value)
