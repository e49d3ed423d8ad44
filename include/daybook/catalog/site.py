"""The pages about all pipelines, with their data contracts and JSON: a folder of files that needs no server.

Equal specs and equal ledgers give equal bytes.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from daybook.catalog.columns import formula, published_columns
from daybook.catalog.contract import Place, contract
from daybook.catalog.schema import as_json, json_schema
from daybook.catalog.sentences import days, kind, plausible, published_as, rows_of, sentences
from daybook.errors import BadSpec
from daybook.pages.templates import template
from daybook.spec import Column, Export, Lookup, Measure, Pipeline, Ratio, Source, View

SCHEMA = "pipeline.schema.json"
OURS = (".html", ".json", ".odcs.yaml")


class Freshness(NamedTuple):
    """What readers see of a pipeline: the number of published days, the last one, and when it was published, in UTC."""

    days: int
    last: date
    published_at: str

    def __str__(self) -> str:
        return f"{self.days:,} days, the last one {self.last}, published at {self.published_at}"


class Known(NamedTuple):
    """What the warehouse of a pipeline says: where it is, and how fresh the views are; None if nothing is published."""

    place: Place
    freshness: Freshness | None


def write_site(
    folder: Path, pipelines: Mapping[str, Pipeline], known: Mapping[str, Known], broken: Mapping[str, str]
) -> None:
    """Write the pages of all pipelines, and remove those of pipelines that are gone.

    known: by name; a pipeline that is not in it is shown without its days. broken: the problem of each module that does
    not load. Raises BadSpec, and writes nothing, if the folder holds other files.
    """
    _check_is_ours(folder)
    files = {SCHEMA: json_schema(), "index.html": _index(pipelines, known, broken)}
    for name, pipeline in sorted(pipelines.items()):
        files[f"{name}.html"] = _page(pipeline, _fresh(known, name))
        files[f"{name}.json"] = as_json(pipeline)
        files[f"{name}.odcs.yaml"] = contract(pipeline, known[name].place if name in known else None)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.name not in files:
            file.unlink()
    for name, text in files.items():
        _replace(folder / name, text)


def _check_is_ours(folder: Path) -> None:
    found = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    others = [name for name in found if not name.endswith(OURS)]
    if folder.exists() and (not folder.is_dir() or others or (found and SCHEMA not in found)):
        what = f"it holds {', '.join((others or found)[:3])}" if found else "it is no folder"
        raise BadSpec(f"{folder}: {what}, which this command did not write; nothing was written; name a new folder")


def _replace(file: Path, text: str) -> None:
    # A reader sees the old page or the new one.
    new = file.with_name(f"{file.name}.new.html")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _fresh(known: Mapping[str, Known], name: str) -> str:
    if name not in known:
        return ""
    return str(known[name].freshness or "nothing yet")


def _index(pipelines: Mapping[str, Pipeline], known: Mapping[str, Known], broken: Mapping[str, str]) -> str:
    lines = [(pipeline, _fresh(known, name)) for name, pipeline in sorted(pipelines.items())]
    return template("pipelines_index").render(pipelines=lines, broken=dict(sorted(broken.items()))) + "\n"


class _View(NamedTuple):
    summary: View
    rows: str
    columns: list[tuple[str, ...]]


class _Shown(NamedTuple):
    name: str
    sentences: list[str]
    columns: list[tuple[str, ...]]


def _page(pipeline: Pipeline, freshness: str) -> str:
    page = template("pipeline_docs").render(
        pipeline=pipeline,
        freshness=f"Published: {freshness}." if freshness else "",
        days=days(pipeline),
        published_as=published_as(pipeline),
        views=[_View(view, rows_of(view), _columns(pipeline, view)) for view in pipeline.views],
        exports=[(one.name, one.connection, one.path, _sent(one, pipeline)) for one in pipeline.exports],
        sources=[_Shown(source.name, sentences(source), _contract(source)) for source in pipeline.sources],
        derived=[(one.name, repr(one.of), one.unit, one.description) for one in pipeline.derived],
        rules=[(rule.name, repr(rule.holds), rule.description) for rule in pipeline.rules],
        lookups=[_lookup(lookup) for lookup in pipeline.lookups],
        numbers=[*map(_number, pipeline.measures), *map(_number, pipeline.ratios)],
        plausible=plausible(pipeline),
    )
    return f"{page}\n"


def _columns(pipeline: Pipeline, summary: View) -> list[tuple[str, ...]]:
    return [
        (column.name, column.sql_type, column.unit, column.description, column.formula, ", ".join(column.sources))
        for column in published_columns(pipeline, summary)
    ]


def _contract(source: Source) -> list[tuple[str, ...]]:
    return [
        (column.name, column.header, kind(column), column.unit, column.description, _rules(column))
        for column in map(source.as_written, source.columns)
    ]


def _rules(column: Column) -> str:
    rules = [
        "required" if column.is_required else "",
        f"at least {column.minimum}" if column.minimum is not None else "",
        f"at most {column.maximum}" if column.maximum is not None else "",
        f"one of {', '.join(column.allowed)}" if column.allowed else "",
        f"matches {column.pattern}" if column.pattern else "",
    ]
    return "; ".join(filter(None, rules))


def _number(number: Measure | Ratio) -> tuple[str, ...]:
    return number.name, formula(number), number.unit, number.description


def _lookup(lookup: Lookup) -> tuple[str, ...]:
    keys = ", ".join(here if here == there else f"{here} = {there}" for there, here in lookup.keys.items())
    gives = ", ".join(name if name == given else f"{name} ({given})" for given, name in lookup.gives.items())
    without = "is refused" if lookup.when_unknown == "refuse" else "is kept"
    return lookup.label, keys, gives, without


def _sent(export: Export, pipeline: Pipeline) -> str:
    names = ", ".join(export.taken((*pipeline.of_days, *pipeline.roll_ups)))
    return f"{names} as {', '.join(export.formats)}"
