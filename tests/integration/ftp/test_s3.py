"""Files of an object store: the same looks and copies as of a server, and never two contents in one file."""

import json
import os
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from upath import UPath

from commands import connections
from daybook.errors import BadData, BadSpec, NotYet, SourceUnavailable
from daybook.ftp.copy import OVERLAP_BYTES, Fetched, fetch
from daybook.ftp.ready import Due, check_ready
from daybook.ftp.replies import NotThere
from daybook.storage.folder import Folder
from daybook_airflow import hooks
from tests.support.certificates import Authority
from tests.support.object_store import KEY, SECRET, ObjectStore, Refusal
from tests.support.web import WebServer

from .conftest import CONTENT, EARLY, MINUTE, PATH, QUICK, SIZE, Supplier, file, sums

CUT_AT = 300_000
OVER_S3 = pytest.mark.parametrize("opener", ["s3"], indirect=True)
SLOW_DOWN = Refusal("503 Slow Down", "SlowDown", "Please reduce your request rate.")
DENIED = Refusal("403 Forbidden", "AccessDenied", f"Access Denied to {SECRET}")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The place of the copy."""
    return tmp_path / "run" / "flights.csv"


@pytest.fixture
def copy_object(store: ObjectStore, copied: Path) -> Callable[..., Fetched]:
    """Copies the file, which lies in the bucket, over S3; words: what differs of the connection."""
    store.put(PATH, CONTENT)

    def do(path: str = PATH, **words: Any) -> Fetched:
        bucket = store.connection(**words)
        with Folder(UPath(f"file://{copied.parent}")).partial_file(copied.name) as part:
            return fetch(lambda: bucket.open(5), file(path=path), path, part, QUICK)

    return do


def test_a_file_comes_whole_from_below_the_prefix(
    copy_object: Callable[..., Fetched], store: ObjectStore, copied: Path
) -> None:
    store.put("in/supplier/Umsätze 1+2 %.csv", CONTENT)
    fetched = copy_object("Umsätze 1+2 %.csv", prefix="/in/supplier")
    assert (copied.read_bytes(), fetched.remote.size_bytes, fetched.is_encrypted) == (CONTENT, SIZE, False)


def test_a_copy_that_breaks_goes_on_from_where_it_was(
    copy_object: Callable[..., Fetched], store: ObjectStore, copied: Path
) -> None:
    store.cuts = iter([CUT_AT, CUT_AT])
    copy_object()
    assert copied.read_bytes() == CONTENT
    first, second, third = (line for line in store.asked if line.startswith("GET"))
    assert (first, second) == (f"GET {PATH}", f"GET {PATH} bytes={CUT_AT - OVERLAP_BYTES}-")
    assert int(third.split("=")[1].rstrip("-")) > CUT_AT


def test_a_file_that_is_put_again_while_it_is_copied_is_not_taken(
    copy_object: Callable[..., Fetched], store: ObjectStore, copied: Path
) -> None:
    # Of the same size and in the same second, and the line breaks: only the ETag tells.
    again = CONTENT[:CUT_AT] + CONTENT[CUT_AT:][::-1]
    store.cuts, store.meanwhile = iter([CUT_AT]), lambda: store.put(PATH, again)
    with pytest.raises(SourceUnavailable, match="the file changed while it was copied"):
        copy_object()
    assert not copied.exists()
    store.meanwhile = lambda: None
    copy_object()
    assert copied.read_bytes() == again


def test_what_is_kept_of_another_content_is_not_gone_on_with(
    copy_object: Callable[..., Fetched], store: ObjectStore, copied: Path
) -> None:
    store.cuts = repeat(CUT_AT // 10)
    with pytest.raises(SourceUnavailable, match="given up after 10 tries"):
        copy_object()
    store.cuts = iter([])
    store.put(PATH, CONTENT[::-1])
    copy_object()
    assert copied.read_bytes() == CONTENT[::-1]


def test_a_store_that_is_busy_is_asked_again_and_given_up(
    copy_object: Callable[..., Fetched], store: ObjectStore
) -> None:
    trouble = Refusal("500 Internal Server Error", "InternalError")
    store.refusals = iter([SLOW_DOWN, SLOW_DOWN, None, trouble])
    copy_object()
    store.refusals = repeat(SLOW_DOWN)
    with pytest.raises(SourceUnavailable, match=r"has no room now \(SlowDown Please.*given up after 10 tries"):
        copy_object()


def test_what_the_store_refuses_is_told_at_once_and_without_a_secret(
    copy_object: Callable[..., Fetched], store: ObjectStore
) -> None:
    # An answer to HEAD has no words: they come with the GET after it.
    store.refusals = repeat(DENIED)
    with pytest.raises(BadSpec, match=rf"ftp: {PATH}: .*does not let us.*Access Denied to \*\*\*.*s3:ListBucket"):
        copy_object()
    assert store.asked[1:] == [f"HEAD {PATH}", f"GET {PATH} bytes=0-0"]
    store.refusals = iter([])
    with pytest.raises(NotThere, match=r"ftp: none\.csv: the bucket has no such file"):
        copy_object("none.csv")
    with pytest.raises(BadSpec, match=r"no such bucket \(NoSuchBucket .*mend bucket"):
        copy_object(bucket="another")
    with pytest.raises(BadSpec, match="leads out of its folder"):
        copy_object("in/../x.csv")


def test_a_store_that_cannot_be_reached_or_shows_another_certificate_gets_no_key(
    copy_object: Callable[..., Fetched], store: ObjectStore, authority: Authority, tmp_path: Path
) -> None:
    with WebServer(tmp_path, authority.certificate()) as web:
        address = {"endpoint_url": f"https://127.0.0.1:{web.port}", "insecure": False}
        with pytest.raises(BadSpec, match=r"certificate is refused .*no key was sent"):
            copy_object(**address)
        assert web.asked == []
        with pytest.raises(BadSpec, match=r"s3://supplier/: the object store refuses the keys \(401"):
            copy_object(**address, ca_file=str(authority.ca_file))
    with pytest.raises(SourceUnavailable, match="the line to the object store broke"):
        copy_object(**address)
    with pytest.raises(BadSpec, match=r"no TLS|without TLS"):
        store.connection(insecure=False)


def test_the_machine_s_own_keys_are_taken_without_a_login(
    copy_object: Callable[..., Fetched], copied: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text(f"[supplier]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(BadSpec, match=r"there are no keys .*give this machine a role"):
        copy_object(user="", password="")
    with pytest.raises(BadSpec, match=r"there are no keys .*\(none\) could not be found"):
        copy_object(user="", password="", profile_name="none")
    copy_object(user="", password="", profile_name="supplier")
    assert copied.read_bytes() == CONTENT


@OVER_S3
def test_a_file_stands_still_a_marker_and_a_checksum_count_and_the_delivery_s_date(supplier: Supplier) -> None:
    with pytest.raises(NotYet, match="has to stand still"):
        supplier.ready()
    assert supplier.ready(EARLY + MINUTE).size_bytes == SIZE
    delivered = {"path": "in/sales_{day+1:%Y%m%d}.csv", "marker": "{path}.done", "checksum": "{path}.sha256"}
    supplier.put("in/sales_20130106.csv", b"a\n1\n")
    supplier.put("in/sales_20130106.csv.sha256", sums(supplier.root, "in/sales_20130106.csv"))
    with pytest.raises(NotYet, match=r"its marker in/sales_20130106.csv.done is not"):
        supplier.ready(**delivered)
    supplier.put("in/sales_20130106.csv.done", b"")
    supplier.copy(supplier.ready(**delivered))
    assert supplier.copied() == {"flights.csv": b"a\n1\n"}


@OVER_S3
def test_parts_of_a_manifest_and_a_name_in_other_capitals(supplier: Supplier) -> None:
    supplier.put("in/A.csv", "one")
    supplier.put("in/below/b.csv", "two")
    supplier.put("in/2013-01-05.manifest", "A.csv\nbelow/b.csv\n")
    supplier.copy(supplier.ready(path=None, manifest="in/{day}.manifest", is_written_whole=True))
    assert supplier.copied() == {"flights.1.csv": b"one", "flights.2.csv": b"two"}
    with pytest.raises(NotYet, match=r"'A.csv' lies beside it"):
        supplier.ready(path="in/a.csv", is_written_whole=True)
    assert supplier.ready(path="in/a.csv", ignore_case=True, is_written_whole=True).parts[0].path == "in/A.csv"


@OVER_S3
def test_wildcards_find_files_on_every_page_of_a_listing_and_the_newest_of_them(
    supplier: Supplier, store: ObjectStore
) -> None:
    store.most_names = 5
    for number in range(12):
        supplier.put(f"in/sales_{number:02}.csv", f"{number}")
    os.utime(supplier.root / "in/sales_07.csv", (2**31, 2**31))
    supplier.put("in/below/sales_99.csv", b"of another folder")
    store.put("in/", b"")
    words = {"path": "in/sales_*.csv", "is_written_whole": True}
    delivery = supplier.ready(**words, pick="all")
    assert [part.name for part in delivery.parts] == [f"sales_{number:02}.csv" for number in range(12)]
    assert [part.name for part in supplier.ready(**words, pick="newest").parts] == ["sales_07.csv"]
    with pytest.raises(BadData, match="12 files match"):
        supplier.ready(**words, pick="only")


def test_the_bucket_is_a_connection_for_tasks_and_for_commands(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(f"in/here/{PATH}", CONTENT)
    extra = {"bucket": store.bucket, "prefix": "in/here", "endpoint_url": store.address, "insecure": True}
    words = {"conn_type": "aws", "login": KEY, "password": SECRET, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_BUCKET", json.dumps(words))
    rest = urlencode({"endpoint_url": store.address, "insecure": "true"})
    monkeypatch.setenv("AIRFLOW_CONN_ADDRESS", f"s3://{KEY}:{SECRET}@{store.bucket}/in/here?{rest}")
    for opened in (hooks.files, connections.files):
        for name in ("bucket", "address"):
            line = opened(name)
            assert line.session(name, 1).look(PATH).size_bytes == SIZE  # type: ignore[union-attr]
            line.close()
            assert line.sock is None


@OVER_S3
def test_keys_that_may_read_and_not_list_do(due: Due, folder: Folder, store: ObjectStore) -> None:
    # The look at the file is answered, the listing is refused; it is not asked for if the file's name is known.
    spec = file(is_written_whole=True)
    store.refuses_lists = True
    assert check_ready(due._replace(files=(spec,)), folder, EARLY, QUICK)["flights"].size_bytes == SIZE
    picked = file(path="flights_*.csv", pick="only", is_written_whole=True)
    with pytest.raises(BadSpec, match=r"does not let us.*s3:ListBucket"):
        check_ready(due._replace(files=(picked,)), folder, EARLY, QUICK)
