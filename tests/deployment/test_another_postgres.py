"""Data of another major version of PostgreSQL: not started by these programs, and restored from a copy by them."""

from pathlib import Path

import psycopg
import pytest

from daybook.ledger import runs
from daybook.postgres.session import begin
from daybook.storage.folder import Folder
from deployment.backup import back_up, restore
from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.servers.databases import make_databases
from deployment.servers.postgres import LocalPostgres

# Debian's, and those of GitHub's machines.
OTHERS = sorted(Path("/usr/lib/postgresql").glob("1[4-7]/bin/initdb"))
LEDGER = "select ledger_id from daybook.identity"


@pytest.mark.skipif(not OTHERS, reason="no other PostgreSQL, 14 to 17, is installed in /usr/lib/postgresql")
def test_data_of_another_major_version_are_refused_and_go_on_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, data = OTHERS[-1].parent, tmp_path / "data"
    version = other.parent.name
    data.mkdir()
    (data / "raw").write_bytes(b"as it was")
    monkeypatch.setenv("PG_BIN", str(other))
    server = LocalPostgres(Home(tmp_path / "home"))
    new = LocalPostgres(Home(tmp_path / "new"))
    try:
        server.start()
        make_databases(server)
        with psycopg.connect(server.dsn("warehouse", "warehouse_owner")) as connection:
            begin(connection)
            runs.prepare(connection)
            ledger_id = connection.execute(LEDGER).fetchone()
        server.stop()
        back_up(server.home, Folder(data), tmp_path / "copy")
        monkeypatch.delenv("PG_BIN")
        with pytest.raises(DeploymentError, match=f"; found data of {version}; nothing was started or changed; name"):
            server.start()
        restore(new.home, Folder(tmp_path / "new_data"), tmp_path / "copy")
        new.start()
        with psycopg.connect(new.dsn("warehouse", "warehouse_owner")) as connection:
            assert connection.execute(LEDGER).fetchone() == ledger_id
        assert (tmp_path / "new_data" / "raw").read_bytes() == b"as it was"
    finally:
        server.remove()
        new.remove()
