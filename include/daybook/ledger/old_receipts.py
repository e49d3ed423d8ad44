"""Receipts from before 0.1.0, which kept all that had no field of its own in `notes`, as names and texts.

Ledgers and run folders hold them until their days are run again.
"""

import json
from typing import Any

SAME_FIELDS = ("run_id", "outcome", "mends_set_aside")
# A note's name ends in one of these, now a field of its file's origin.
ORIGIN_FIELDS = ("name", "modified_at", "is_encrypted", "remarks", "checked_by")


def from_notes(words: dict[str, Any]) -> dict[str, Any]:
    """Return the words of an old receipt with its notes in today's fields."""
    kept = {name: value for name, value in words.items() if name != "notes"}
    notes: dict[str, Any] = words["notes"]
    if str(words.get("step", "")).startswith("extract_"):
        return kept | {"origins": _origins(notes)}
    return kept | _decided(notes)


def _decided(notes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: notes[name] for name in SAME_FIELDS if name in notes}
    if "mended" in notes:
        found["mended"] = json.loads(notes["mended"])
    if "held_for" in notes:
        released = {name: notes.get(name, "") for name in ("released_by", "released_why")}
        found["held"] = {"why": notes["held_for"], **released}
    return found


def _origins(notes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in notes.items():
        field = next((field for field in ORIGIN_FIELDS if name.endswith(f"_{field}")), None)
        stem = name.removesuffix(f"_{field}") if field else name
        found.setdefault(stem, {"place": ""})[field or "place"] = value
    return found
