"""The pages, contracts and JSON of pipelines: right, complete, and harmless whatever the texts of a spec are."""

import json
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from daybook.catalog.columns import published_columns
from daybook.catalog.contract import Place, contract
from daybook.catalog.schema import as_json, json_schema
from daybook.catalog.site import Freshness, Known, write_site
from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Column, Export, File, Lookup, Measure, Pipeline, Ratio, Schedule, Summary, Table, integer, text
from tests.support.sales import sales

SCHEDULE = Schedule(start=date(2026, 1, 1), time_zone="Asia/Tokyo", holidays="JP")
PLACE = Place("warehouse.example", 5432, "numbers")
HARM = "</p><script>alert(1)</script> \u202e & 'x'"


def double(facts: Any) -> Any:
    """Return the facts with the pieces twice."""
    facts["twice"] = facts["pieces"] * 2
    return facts


def shops(**words: Any) -> Pipeline:
    """Return sales by region, which a lookup of a lookup finds; and a measure that a transform makes."""
    places = Table(
        name="places", connection="erp", relation="shop.places", key=("shop",), columns=(text("shop"), text("town"))
    )
    towns = File(
        name="towns", connection="ftp", path="towns_{day}.csv", key=("town",), columns=(text("town"), text("region"))
    )
    own = sales("shops", SCHEDULE).files[0]
    known: dict[str, Any] = {
        "files": (own, towns),
        "tables": (places,),
        "lookups": (
            Lookup(source="places", key="shop", gives={"town": "town"}, when_unknown="keep", unknown_flag="is_new"),
            Lookup(source="towns", key="town", gives={"region": "region"}, when_unknown="refuse"),
        ),
        "transform": double,
        "transform_gives": (integer("twice", description="Pieces, twice", unit="pieces"),),
        "measures": (
            Measure(name="rows", how="count", description="Rows of the file"),
            Measure(name="new", how="count", where="is_new"),
            Measure(name="pieces", how="sum", of="pieces", unit="pieces"),
            Measure(name="twice", how="sum", of="twice"),
        ),
        "ratios": (Ratio(name="new_pct", of="new", over="rows", times=100, unit="%"),),
        "summaries": (
            Summary(name="by_region", by=("region",), columns=("pieces", "twice", "new_pct"), description="A region"),
        ),
    }
    return sales("shops", SCHEDULE, **(known | words))


def test_a_column_says_its_unit_its_formula_and_the_columns_that_it_rests_on() -> None:
    pipeline = shops()
    columns = {column.name: column[1:] for column in published_columns(pipeline, pipeline.summaries[0])}

    assert columns == {
        "day": ("date", "", "The local day in Asia/Tokyo", "", ("sales.sold_on",)),
        "region": ("text", "", "", "", ("places.town", "sales.shop", "towns.region")),
        "pieces": ("bigint", "pieces", "", "sum(pieces)", ("sales.pieces",)),
        "twice": ("bigint", "", "", "sum(twice)", ("sales.*",)),
        "new_pct": ("numeric(20,2)", "%", "", "100 * new / rows", ("sales.shop",)),
    }


@pytest.mark.parametrize(
    "pipeline", [load_pipelines().named("flights"), sales("few", SCHEDULE), shops()], ids=lambda one: one.name
)
def test_contracts_and_json_fit_their_schemas(pipeline: Pipeline) -> None:
    standard = json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_text())
    jsonschema.validate(yaml.safe_load(contract(pipeline, PLACE)), standard)
    jsonschema.validate(json.loads(as_json(pipeline)), json.loads(json_schema()))


def test_the_schema_refuses_a_wrong_word_and_explains_the_right_ones() -> None:
    schema = json.loads(json_schema())
    spec = json.loads(as_json(shops())) | {"colour": "red"}

    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(spec, schema)
    assert schema["$defs"]["Column"]["properties"]["unit"]["description"].startswith("What its numbers are counted in")
    assert schema["properties"]["owner"]["description"].startswith("Who answers for it")


def test_a_contract_has_another_version_only_if_what_it_promises_has_changed() -> None:
    def version(**words: Any) -> str:
        return str(yaml.safe_load(contract(shops(**words)))["version"])

    described = Summary(name="by_region", by=("region",), columns=("pieces", "new_pct"))
    assert version() == version(look_back_days=3)
    assert version() != version(summaries=(described,))


def test_the_pages_of_a_pipeline_that_is_gone_go_too_and_equal_specs_give_equal_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    known = {"shops": Known(PLACE, Freshness(3, date(2026, 3, 1), "2026-03-02 05:00 UTC"))}
    two = {"shops": shops(), "few": sales("few", SCHEDULE)}
    write_site(folder, two, known, {"include/pipelines/bad.py": "line 3: NameError"})
    before = bytes_of(folder)
    write_site(folder, {"few": two["few"]}, {}, {})
    assert set(bytes_of(folder)) == {"index.html", "pipeline.schema.json", "few.html", "few.json", "few.odcs.yaml"}
    write_site(folder, dict(reversed(two.items())), known, {"include/pipelines/bad.py": "line 3: NameError"})
    assert bytes_of(folder) == before

    index = before["index.html"].decode()
    assert "3 days, the last one 2026-03-01, published at 2026-03-02 05:00 UTC" in index
    assert "include/pipelines/bad.py does not load" in index
    page = before["shops.html"].decode()
    assert "of JP" in page
    assert "It has one row for each day and region." in page


def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(BadSpec, match=r"it holds index.html, which this command did not write; nothing was written"):
        write_site(tmp_path, {"shops": shops()}, {}, {})
    with pytest.raises(BadSpec, match="it is no folder"):
        write_site(tmp_path / "index.html", {"shops": shops()}, {}, {})
    assert bytes_of(tmp_path) == {"index.html": b"mine"}


def test_no_text_of_a_spec_becomes_a_tag_or_turns_a_line_around(tmp_path: Path) -> None:
    hostile = shops(
        description=HARM,
        owner=HARM,
        summaries=(Summary(name="by_region", by=("region",), columns=("pieces",), description=HARM),),
        measures=(Measure(name="pieces", how="sum", of="pieces", unit=HARM, description=HARM),),
        transform_gives=(Column(header=HARM, name="twice", kind="integer", description=HARM),),
        ratios=(),
        exports=(Export(name="partner", connection=HARM, path=f"{{day}}/{HARM}/{{name}}"),),
    )
    write_site(tmp_path / "site", {"shops": hostile}, {}, {"a.py": HARM})
    for name, page in bytes_of(tmp_path / "site").items():
        if name.endswith(".html"):
            assert "<script" not in page.decode(), name
            assert "\u202e" not in page.decode(), name
    assert yaml.safe_load(contract(hostile))["description"]["purpose"] == HARM
    assert "by_region as csv" in (tmp_path / "site/shops.html").read_text()


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}
