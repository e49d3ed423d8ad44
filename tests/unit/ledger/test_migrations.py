"""Migrations are numbered without a gap, and one that was merged is never changed."""

import hashlib
import re

import pytest

from daybook.ledger.migrate import Kind, migrations, newest

# A ledger to which a migration was applied never sees a change of it. So add a file with the next number, and its line.
MERGED: dict[Kind, dict[str, str]] = {
    "ledger": {"0001_before_numbers.sql": "09b10031014463af600264f43db5324280b70b5d3a4067631e5aeb4c276655d6"},
    "further": {"0001_before_numbers.sql": "9a93c858f7c5596f04a13ec34db85932a95aa90f5f00d737113038bf0b40fd04"},
}


@pytest.mark.parametrize("kind", MERGED)
def test_a_migration_that_was_merged_stays_as_it_is(kind: Kind) -> None:
    found = {one.name: hashlib.sha256(one.statements.encode()).hexdigest() for one in migrations(kind)}
    assert found == MERGED[kind]


@pytest.mark.parametrize("kind", MERGED)
def test_migrations_are_numbered_from_one_without_a_gap_and_named(kind: Kind) -> None:
    assert [one.number for one in migrations(kind)] == list(range(1, newest(kind) + 1))
    assert all(re.fullmatch(r"[0-9]{4}_[a-z_]+\.sql", one.name) for one in migrations(kind))
