"""The connections that docs/files.md shows are such that Daybook takes them."""

import json
import re
from typing import Any

import pytest

from daybook.ftp.connect import FtpServer
from daybook.transports.sftp_server import SftpServer
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "files.md").read_text()
CONNECTIONS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.S)]
SERVERS: dict[str, Any] = {"ftp": FtpServer, "ftps": FtpServer, "sftp": SftpServer, "ssh": SftpServer}


@pytest.mark.parametrize("words", CONNECTIONS, ids=[words["conn_type"] for words in CONNECTIONS])
def test_each_connection_shown_is_one_that_daybook_takes(words: dict[str, Any]) -> None:
    server = SERVERS[words["conn_type"]](host=words["host"], user=words["login"], **words["extra"])
    assert server.host == words["host"]


def test_the_words_of_the_table_are_those_of_an_sftp_connection() -> None:
    section = DOCUMENT.split("## SFTP\n")[1].split("\n## ")[0]
    shown = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`[^|]*)\|", section))))
    ours = (SftpServer.model_fields.keys() - {"host", "port", "user", "no_host_key_check"}) | {"login"}
    assert shown == ours
