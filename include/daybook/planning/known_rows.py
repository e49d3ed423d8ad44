"""What the rows of tables were when runs read them, also of runs that did not note it."""

from collections.abc import Iterable, Mapping, Sequence

from daybook.ledger.receipt import Receipt
from daybook.planning.old_copies import Copy, sha256_of, whole_copy
from daybook.planning.standing import Standing
from daybook.postgres.copied_rows import copied_state
from daybook.postgres.day_state import DayState
from daybook.storage.data_folder import DataFolder


def with_known_rows(standings: Sequence[Standing], sources: Iterable[str], data: DataFolder) -> list[Standing]:
    """Return the standings with what the rows of tables that are read whole were, also for runs that did not note it.

    Runs of before 0.2.0 noted only the hash of the copy, and their copies are read once for all days; without them the
    rows count as unknown.
    """
    extracts = [run["extract_tables"] for one in standings for run in (one.deployed, one.failed) if _is_there(run)]
    unknown = {(source, sha256) for receipt in extracts for source, sha256 in _not_noted(receipt, sources).items()}
    states = {known: _state(whole_copy(data, extracts, *known)) for known in sorted(unknown)}
    return [
        one._replace(deployed=_noted(one.deployed, sources, states), failed=_noted(one.failed, sources, states))
        for one in standings
    ]


def _is_there(run: Mapping[str, Receipt]) -> bool:
    return "extract_tables" in run


def _not_noted(receipt: Receipt, sources: Iterable[str]) -> dict[str, str]:
    found = {source: sha256_of(receipt, source) for source in sources if source not in receipt.slices}
    return {source: sha256 for source, sha256 in found.items() if sha256}


def _state(copy: Copy | None) -> DayState | None:
    if copy is None:
        return None
    with copy.open() as file:
        return copied_state(file)


def _noted(
    run: dict[str, Receipt], sources: Iterable[str], states: Mapping[tuple[str, str], DayState | None]
) -> dict[str, Receipt]:
    if not _is_there(run) or not (missing := _not_noted(run["extract_tables"], sources)):
        return run
    found = {source: state for source, sha256 in missing.items() if (state := states[source, sha256])}
    extracted = run["extract_tables"]
    return run | {"extract_tables": extracted.model_copy(update={"slices": extracted.slices | found})}
