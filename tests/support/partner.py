"""Servers beside which a partner takes files: a folder, under the connection `partner`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybook.spec import Export, Pipeline
from daybook.transports.local_folder import LocalFolder

from .servers import Servers

EXPORT = Export(
    name="partner",
    connection="partner",
    path="out/{day:%Y-%m-%d}/{name}.{format}",
    formats=("csv", "parquet"),
    marker="out/{day:%Y-%m-%d}/SHA256SUMS",
)


@dataclass(frozen=True)
class WithPartner(Servers):
    """The servers, and the partner's folder in the data folder, where faults can strike."""

    @property
    def partner(self) -> Path:
        """The partner's folder."""
        return self.data / "partner"

    def connect_ftp(self, connection: str) -> Any:
        """Open a connection by its id in Airflow, as the hook would."""
        if connection == "partner":
            return LocalFolder(path=str(self.partner)).open(5)
        return super().connect_ftp(connection)

    def taken(self) -> dict[str, bytes]:
        """Return all that lies in the partner's folder."""
        paths = sorted(path for path in self.partner.rglob("*") if path.is_file())
        return {str(path.relative_to(self.partner)): path.read_bytes() for path in paths}

    def sent(self, pipeline: Pipeline) -> list[tuple[Any, ...]]:
        """Return the exports that the ledger has, in order: the run and the paths."""
        query = "select run_id, array(select jsonb_object_keys(files) order by 1) from daybook.exported"
        where = " where pipeline = %s order by exported_at"
        return self.rows(query + where, pipeline.name, role="warehouse_owner")

    def owed(self, pipeline: Pipeline) -> list[tuple[Any, ...]]:
        """Return the exports that are owed: the day, the run, the number of tries, and the last error."""
        query = "select day::text, run_id, tries, error from daybook.export_owed where pipeline = %s order by day"
        return self.rows(query, pipeline.name, role="warehouse_owner")
