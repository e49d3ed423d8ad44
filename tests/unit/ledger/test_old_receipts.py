"""Receipts that ledgers and run folders hold from before 0.1.0 are read with their notes in the fields of today."""

import json
from typing import Any

from daybook.ledger.receipt import Held, Mended, Origin, Receipt


def old(step: str, **notes: str | int) -> Receipt:
    """Return a receipt as it was written then, read now."""
    words: dict[str, Any] = {"pipeline": "flights", "day": "2013-01-05", "run": "run", "step": step, "notes": notes}
    return Receipt.model_validate_json(json.dumps(words | {"seconds": 1.0, "peak_memory_mib": 1}))


def test_a_table_has_its_place() -> None:
    read = old("extract_tables", planes="source_db: public.planes")
    assert read.origins == {"planes": Origin(place="source_db: public.planes")}


def test_a_file_in_parts_has_its_parts_and_its_manifest() -> None:
    notes: dict[str, str | int] = {
        "flights": "ftp: in/list, 1 parts",
        "flights_is_encrypted": 0,
        "flights.manifest": "ftp: in/list",
        "flights.manifest_modified_at": "20130106",
        "flights.1": "ftp: in/a.csv",
        "flights.1_name": "a.csv",
        "flights.1_modified_at": "20130105",
        "flights.1_remarks": "",
        "flights.1_checked_by": "in/list",
    }
    read = old("extract_files", **notes)
    assert read.origins == {
        "flights": Origin(place="ftp: in/list, 1 parts", is_encrypted=False),
        "flights.manifest": Origin(place="ftp: in/list", modified_at="20130106"),
        "flights.1": Origin(place="ftp: in/a.csv", name="a.csv", modified_at="20130105", checked_by="in/list"),
    }


def test_mends_holds_and_outcomes_are_there() -> None:
    mended = json.dumps([{"who": "ann", "why": "typed twice", "rows": {"flights": 2}}])
    loaded = old("load", mended=mended, mends_set_aside="4 mends are set aside")
    assert loaded.mended == (Mended(who="ann", why="typed twice", rows={"flights": 2}),)
    assert loaded.mends_set_aside == "4 mends are set aside"
    held = old("summarize", held_for="3 rows", released_by="bob", released_why="a holiday")
    assert held.held == Held(why="3 rows", released_by="bob", released_why="a holiday")
    assert old("summarize").held is None
    assert old("save", run_id=7).saved_as == 7
    assert (old("deploy", outcome="published", run_id=7).outcome, old("deploy").outcome) == ("published", "")


def test_what_is_written_now_is_read_as_it_was() -> None:
    now = old("deploy", outcome="unchanged", run_id=7)
    assert Receipt.model_validate_json(now.model_dump_json()) == now
    assert "notes" not in json.loads(now.model_dump_json())
