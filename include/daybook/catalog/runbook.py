"""A pipeline as Markdown, for its DAG's page in Airflow: whose it is, what it reads, what it publishes, and when.

The words of a spec are text of people: no sign of them counts as Markdown, HTML or an address.
"""

import re
from collections.abc import Iterator

from daybook.catalog.columns import published_columns
from daybook.catalog.sentences import days, kind, plausible, published_as, rows_of, sentences
from daybook.spec import Column, Pipeline, Source, View
from daybook.text import counted, one_line

# A backslash takes its meaning from any of ASCII's punctuation (CommonMark, 2.4). A bare address becomes a link by its
# colon, its "@" or its "www." (GitHub's Markdown, 6.9).
MARKS = re.compile(r"[\\`*_{}\[\]<>#|~&:@!^$]|(?<=www)\.", re.IGNORECASE)


def runbook(pipeline: Pipeline) -> str:
    """Return the Markdown; equal specs give equal text."""
    parts = [_about(pipeline), _sources(pipeline), *(_view(pipeline, summary) for summary in pipeline.views)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return a text of a spec as Markdown that shows it as it is, on one line."""
    return MARKS.sub(r"\\\g<0>", one_line(text))


def _about(pipeline: Pipeline) -> str:
    owner = f"**Owner**: {plain(pipeline.owner)}\n\n" if pipeline.owner else ""
    target = pipeline.target
    return (
        f"### {plain(pipeline.description)}\n\n{owner}**Days**: {plain(days(pipeline))} "
        f"{plain(plausible(pipeline))}\n\n**Published** in the schema {plain(target.schema_)} of the connection "
        f"{plain(target.connection)}, {published_as(pipeline)}."
    )


def _sources(pipeline: Pipeline) -> str:
    return "\n".join(["**Sources**", "", *(_source(pipeline, source) for source in pipeline.sources)])


def _source(pipeline: Pipeline, source: Source) -> str:
    facts = " Its rows are the facts." if source.name == pipeline.facts else ""
    columns = ", ".join(map(_column, source.columns))
    return (
        f"* **{plain(source.name)}**: {plain(' '.join(sentences(source)))}{facts} "
        f"{counted(len(source.columns), 'column')}: {plain(columns)}."
    )


def _column(column: Column) -> str:
    return f"{column.name} ({kind(column)}{', required' if column.is_required else ''})"


def _view(pipeline: Pipeline, summary: View) -> str:
    said = f": {summary.description}" if summary.description else ""
    title = f"**{plain(summary.name)}**{plain(said)}; {plain(rows_of(summary))}"
    return "\n".join([title, "", *_rows(pipeline, summary)])


def _rows(pipeline: Pipeline, summary: View) -> Iterator[str]:
    yield "| column | type | unit | says | made by |"
    yield "| --- | --- | --- | --- | --- |"
    for column in published_columns(pipeline, summary):
        cells = (column.name, column.sql_type, column.unit, column.description, column.formula)
        yield f"| {' | '.join(map(plain, cells))} |"
