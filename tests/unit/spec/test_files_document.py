"""The connections that docs/files.md shows are such that Daybook takes them."""

import json
import re
from typing import Any

import pytest

from daybook import spec
from daybook.spec import Value
from daybook.transports.open import KINDS, Stored
from daybook.transports.s3_bucket import S3Bucket
from daybook.transports.sftp_server import SftpServer
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "files.md").read_text()
CONNECTIONS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)]
EMPTY = {"host": None, "port": None, "login": None, "password": None, "schema": None}


@pytest.mark.parametrize("words", CONNECTIONS, ids=[words["conn_type"] for words in CONNECTIONS])
def test_each_connection_shown_is_one_that_daybook_takes(words: dict[str, Any]) -> None:
    kind = words["conn_type"]
    stored = {word: value for word, value in words.items() if word != "conn_type"}
    KINDS[kind](Stored(name="supplier", kind=kind, **(EMPTY | stored)))


def test_the_types_of_the_table_are_those_that_daybook_knows() -> None:
    table = DOCUMENT.split("| type |")[1].split("\n\n")[0]
    shown = [word for first in re.findall(r"(?m)^\| (`[^|]*)\|", table) for word in re.findall(r"`(\w+)`", first)]
    assert set(shown) == KINDS.keys() - {""}


def test_each_file_shown_is_one_that_the_spec_takes() -> None:
    shown = re.findall(r"```python\n(.*?)```", DOCUMENT, re.S)
    assert shown
    for block in shown:
        exec(block, vars(spec).copy())  # noqa: S102 - the document's own
    for words in re.findall(r"(?m)^\| [^|]*\| (`[a-z_]+=.*?`)", DOCUMENT):
        usual = {"path": "f_*.csv" if "pick" in words else "f.csv"}
        given = eval(f"dict({words.strip('`')})")  # noqa: S307 - the document's own
        spec.File(name="f", connection="ftp", columns=(spec.text("a"),), **(usual | given))


@pytest.mark.parametrize(
    ("section", "kind", "form"),
    [
        ("SFTP", SftpServer, {"host", "port", "user", "no_host_key_check"}),
        ("Object stores", S3Bucket, {"user"}),
    ],
)
def test_the_words_of_a_table_are_those_of_the_connection(section: str, kind: type[Value], form: set[str]) -> None:
    text = DOCUMENT.split(f"## {section}\n")[1].split("\n## ")[0]
    shown = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`[^|]*)\|", text))))
    assert shown == (kind.model_fields.keys() - form) | {"login"}
