"""The datasets of a step, as OpenLineage has them: what it read, and of `save` and `deploy` also what they made.

    sources --extract_tables, extract_files
    sources --save--> tables of the store
    sources --deploy--> views of each target, and exports; each column with the columns that it is made from

A source is one dataset, and so is an export, under the path that the spec has, with {day} in it: else each day would be
a dataset of its own, and nobody could ask what rests on a source. Which files were read stands beside it (`subset`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    RunFacet,
    base_subset_dataset,
    column_lineage_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)

from daybook.catalog.columns import PublishedColumn, published_columns
from daybook.catalog.sentences import kind
from daybook.ledger.receipt import Receipt
from daybook.publish.outgoing import here
from daybook.run.day_run import DayRun
from daybook.spec import Export, File, Pipeline, Source, Table, View
from daybook.transports.open import Stored
from daybook_airflow.lineage.names import Name, of_file, of_table

Find = Callable[[str], Stored]
"""Returns a connection by its id in Airflow."""
READING = {"extract_tables": (Table,), "extract_files": (File,), "save": (Table, File), "deploy": (Table, File)}


def lineage_of(step: str, day_runs: Sequence[DayRun], find: Find) -> OperatorLineage[Dataset, RunFacet]:
    """Return what a step has read and made for those of some days for which it is done; nothing if there are none."""
    done = [day_run for day_run in day_runs if day_run.receipt_if_done(step)]
    if not done or step not in READING:
        return OperatorLineage()
    pipeline, find = done[0].pipeline, cache(find)
    sources = [source for source in pipeline.sources if isinstance(source, READING[step])]
    inputs: list[Dataset] = [_input(source, done, find) for source in sources]
    return OperatorLineage(inputs=inputs, outputs=list(_outputs(step, pipeline, done, find)))


class _Day:
    """Stands for any day in a path: {day:%Y} stays as it is written."""

    def __format__(self, form: str) -> str:
        return f"{{day:{form}}}" if form else "{day}"


def _name(source: Source, find: Find) -> Name:
    if isinstance(source, Table):
        return of_table(find(source.connection), *source.relation.split("."))
    assert isinstance(source, File)  # noqa: S101 - there are no others
    return of_file(find(source.connection), source.manifest or source.path or "")


def _input(source: Source, done: Iterable[DayRun], find: Find) -> InputDataset:
    fields = [
        _field(column.header, kind(column), column.description) for column in map(source.as_written, source.columns)
    ]
    facets: dict[str, DatasetFacet] = {"schema": schema_dataset.SchemaDatasetFacet(fields)}
    step = "extract_tables" if isinstance(source, Table) else "extract_files"
    receipts = [receipt for day_run in done if (receipt := day_run.receipt_if_done(step))]
    read = _rows_read(source, receipts) if isinstance(source, Table) else _files_read(source, receipts, find)
    return InputDataset(*_name(source, find), facets=facets, inputFacets=read)


def _rows_read(table: Table, receipts: list[Receipt]) -> dict[str, InputDatasetFacet]:
    rows = sum(receipt.rows[table.name].read for receipt in receipts)
    return {"inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)}


def _files_read(file: Source, receipts: list[Receipt], find: Find) -> dict[str, InputDatasetFacet]:
    read = [
        (of_file(find(file.connection), origin.place.removeprefix(f"{file.connection}: ")).name, output.size_bytes)
        for receipt in receipts
        for stem, origin in receipt.origins.items()
        if stem.partition(".")[0] == file.name and (output := receipt.outputs.get(f"{stem}.csv"))
    ]
    if not read:
        return {}
    places = base_subset_dataset.LocationSubsetCondition(sorted({place for place, _ in read}))
    size, count = sum(size for _, size in read), len(places.locations)
    return {
        "subset": base_subset_dataset.InputSubsetInputDatasetFacet(places),
        "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(size=size, fileCount=count),
    }


def _outputs(step: str, pipeline: Pipeline, done: list[DayRun], find: Find) -> Iterator[OutputDataset]:
    target = pipeline.target
    if step == "save":
        for view in pipeline.views:
            name = of_table(find(target.connection), target.store, view.name)
            yield _output(name, {}, _rows_made(step, view, done))
    if step == "deploy":
        facets = {view.name: _facets(pipeline, view, find) for view in pipeline.views}
        for one in (target, *pipeline.also):
            for view in pipeline.views:
                rows = _rows_made(step, view, done)
                yield _output(of_table(find(one.connection), one.schema_, view.name), facets[view.name], rows)
        for export in pipeline.exports:
            yield from _exported(export, pipeline, facets, find)


def _output(name: Name, facets: dict[str, DatasetFacet], rows: int | None = None) -> OutputDataset:
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OutputDataset(*name, facets=facets, outputFacets={} if rows is None else {"outputStatistics": statistics})


def _rows_made(step: str, view: View, done: list[DayRun]) -> int:
    receipts = [receipt for day_run in done if (receipt := day_run.receipt_if_done(step))]
    return sum(receipt.rows[view.name].kept for receipt in receipts if view.name in receipt.rows)


def _exported(
    export: Export, pipeline: Pipeline, facets: dict[str, dict[str, DatasetFacet]], find: Find
) -> Iterator[OutputDataset]:
    for name in export.taken((*pipeline.of_days, *pipeline.roll_ups)):
        for form in export.formats:
            if form != "report":
                yield _output(_sent_to(export, name, form, find), facets[name])
    if "report" in export.formats:
        yield _output(_sent_to(export, "report", "html", find), {})


def _sent_to(export: Export, name: str, form: str, find: Find) -> Name:
    path = export.path.format_map({"day": _Day(), "name": name, "format": form})
    return of_file(find(export.connection), here(path))


def _facets(pipeline: Pipeline, view: View, find: Find) -> dict[str, DatasetFacet]:
    columns = published_columns(pipeline, view)
    names = {source.name: _name(source, find) for source in pipeline.sources}
    made = {column.name: _made_from(column, pipeline, names) for column in columns if column.sources}
    facets: dict[str, DatasetFacet] = {
        "schema": schema_dataset.SchemaDatasetFacet(
            [_field(one.name, one.sql_type, one.description) for one in columns]
        ),
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(made),
    }
    if view.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(view.description)
    return facets


def _made_from(column: PublishedColumn, pipeline: Pipeline, names: dict[str, Name]) -> column_lineage_dataset.Fields:
    is_itself = column.sources == (f"{pipeline.facts}.{column.name}",)
    how = "AGGREGATION" if column.formula else "IDENTITY" if is_itself else "TRANSFORMATION"
    step = column_lineage_dataset.Transformation("DIRECT", how, column.formula or None)
    return column_lineage_dataset.Fields(
        [
            column_lineage_dataset.InputField(*names[source.name], field, [step])
            for source, field in _columns_of(column.sources, pipeline)
        ]
    )


def _columns_of(origins: Iterable[str], pipeline: Pipeline) -> Iterator[tuple[Source, str]]:
    """Yield the source and the column, as it is called there, of origins such as "orders.amount" and "orders.*"."""
    for origin in origins:
        name, _, wanted = origin.partition(".")
        source = pipeline.source(name)
        yield from ((source, column.header) for column in source.columns if wanted in (column.name, "*"))


def _field(name: str, kind: str, description: str) -> schema_dataset.SchemaDatasetFacetFields:
    return schema_dataset.SchemaDatasetFacetFields(name, kind, description or None)
