"""What the receipt of `extract_files` notes of a delivery: where each file came from, how, and what vouches for it.

plan.py, raw_files.py, report.py and the trace read it. Pure.
"""

from daybook.delivery import Delivery
from daybook.ftp_parts import Arrived

Notes = dict[str, str | int]


def notes_of(delivery: Delivery, arrived: list[Arrived]) -> Notes:
    """Give the notes of a delivery, under its source's name and, of parts, under their stems."""
    name, is_encrypted = delivery.file.name, all(one.fetched.is_encrypted for one in arrived)
    if not delivery.file.is_in_parts:
        return _notes_of_file(delivery, arrived[0], {f"{name}_is_encrypted": is_encrypted})
    notes: Notes = {name: f"{delivery.where}, {len(arrived)} parts", f"{name}_is_encrypted": is_encrypted}
    if delivery.manifest:
        manifest = f"{name}.manifest"
        notes |= {manifest: delivery.where, f"{manifest}_modified_at": delivery.manifest.modified_at}
    for one in arrived:
        notes |= _notes_of_file(delivery, one, {f"{one.part.stem}_name": one.part.name})
    return notes


def _notes_of_file(delivery: Delivery, arrived: Arrived, more: Notes) -> Notes:
    stem, fetched = arrived.part.stem, arrived.fetched
    notes: Notes = {
        stem: f"{delivery.file.connection}: {arrived.part.path}",
        f"{stem}_modified_at": fetched.remote.modified_at,
        **more,
        f"{stem}_remarks": "; ".join(fetched.remarks),
    }
    return notes | ({f"{stem}_checked_by": arrived.checked_by} if arrived.checked_by else {})
