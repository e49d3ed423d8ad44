"""The environment names schemas; no statement of ours names the ledger's schema itself."""

import re

import pytest

from daybook.environment import environment, is_here, ledger_schema, schema_here
from daybook.errors import BadSpec
from daybook.spec import Target
from deployment.home import REPOSITORY

OF_THE_LEDGER = re.compile(r"\bdaybook\.\w+\b(?![.\w]| import)")
SQL_BEFORE = re.compile(r"\b(from|join|into|update|table|using|regclass\(|sequence\()\s*'?$", re.IGNORECASE)


def test_production_adds_nothing_to_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", None):
        monkeypatch.setenv("DAYBOOK_ENV", value) if value is not None else monkeypatch.delenv("DAYBOOK_ENV")
        assert (environment(), schema_here("sales"), ledger_schema()) == ("", "sales", "daybook")
        assert [is_here(name) for name in ("sales", "sales_store", "sales__dev", "sales__dev_store")] == [
            *(True, True, False, False)
        ]


def test_an_environment_adds_its_name_and_knows_its_schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBOOK_ENV", "dev")
    assert (schema_here("sales"), ledger_schema()) == ("sales__dev", "daybook__dev")
    assert [is_here(name) for name in ("sales", "sales_store", "sales__dev", "sales__dev_store", "a__dev2")] == [
        *(False, False, True, True, False)
    ]


@pytest.mark.parametrize("name", ["Dev", "my dev", "dev_1", "1dev", "dev;drop", "ö", "a" * 13])
def test_a_name_that_is_no_part_of_a_schema_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DAYBOOK_ENV", name)
    with pytest.raises(BadSpec, match=r"DAYBOOK_ENV=.* is refused: .* unset it for production"):
        environment()


def test_a_schema_of_a_spec_does_not_look_like_one_of_an_environment() -> None:
    with pytest.raises(BadSpec, match=r"Target, schema: 'sales__dev' is refused: two underscores"):
        Target(schema="sales__dev")


def test_no_statement_names_the_schema_of_the_ledger() -> None:
    # It is in the search path of every transaction, and its name is another one in each environment.
    named = [
        f"{file.relative_to(REPOSITORY)}: {line.strip()}"
        for file in sorted((REPOSITORY / "include").rglob("*.py"))
        for line in file.read_text().splitlines()
        for found in OF_THE_LEDGER.finditer(line)
        if SQL_BEFORE.search(line[: found.start()])
    ]
    assert named == []
