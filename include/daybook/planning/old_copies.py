"""The copies of tables that runs made, found again by their hash."""

from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from daybook.ledger.receipt import Receipt
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


class Copy(NamedTuple):
    """A file of a run that is as it was written."""

    folder: Folder
    name: str

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return self.folder.open(self.name)


def folder_of(data: DataFolder, receipt: Receipt) -> Folder:
    """Return the folder of a receipt's step."""
    return data.run(receipt.pipeline, receipt.day, receipt.run) / receipt.step


def whole_copy(data: DataFolder, receipts: Iterable[Receipt], source: str, sha256: str) -> Copy | None:
    """Return the first copy of a table that has this hash, or None. receipts: of `extract_tables`, of some runs."""
    name = f"{source}.csv"
    folders = (folder_of(data, receipt) for receipt in receipts if sha256_of(receipt, source) == sha256)
    return next((Copy(folder, name) for folder in folders if not folder.fault(name, sha256)), None)


def sha256_of(receipt: Receipt, source: str) -> str | None:
    """Return the hash of a run's copy of a table, or None if it made none."""
    output = receipt.outputs.get(f"{source}.csv")
    return output.sha256 if output else None
