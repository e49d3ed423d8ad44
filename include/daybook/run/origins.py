"""Where the files of a day came from, for the receipt of `extract_files`."""

from daybook.ftp.delivery import Delivery
from daybook.ftp.fetch import Arrived
from daybook.ledger.receipt import Origin


def origins_of(delivery: Delivery, arrived: list[Arrived]) -> dict[str, Origin]:
    """Return the origins of a delivery's files: one file under its source's name; parts under their stems, with those
    of the whole and the manifest."""
    if not delivery.file.is_in_parts:
        return {arrived[0].part.stem: _origin(delivery, arrived[0])}
    name, is_encrypted = delivery.file.name, arrived[0].fetched.is_encrypted
    origins = {name: Origin(place=f"{delivery.where}, {len(arrived)} parts", is_encrypted=is_encrypted)}
    if delivery.manifest:
        origins[f"{name}.manifest"] = Origin(place=delivery.where, modified_at=delivery.manifest.modified_at)
    return origins | {one.part.stem: _origin(delivery, one) for one in arrived}


def _origin(delivery: Delivery, arrived: Arrived) -> Origin:
    fetched = arrived.fetched
    return Origin(
        place=f"{delivery.file.connection}: {arrived.part.path}",
        name=arrived.part.name,
        modified_at=fetched.remote.modified_at,
        is_encrypted=fetched.is_encrypted,
        remarks="; ".join(fetched.remarks),
        checked_by=arrived.checked_by,
    )
