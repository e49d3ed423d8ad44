"""What a supplier does one day: he sends a file without rows, or with a column under another name."""

from collections.abc import Mapping
from fnmatch import fnmatch

import pytest
from psycopg import sql

from daybook.spec import Pipeline, Table
from daybook.testing.trial import Sample, Trial

OTHER_NAME = "under_another_name"


def files_of_facts(pipeline: Pipeline, sample: Sample) -> list[str]:
    """Return the paths of a sample's files that are no other source's, in order; none if the facts are a table."""
    if isinstance(pipeline.source(pipeline.facts), Table):
        return []
    others = [file.path_on(sample.day) for file in pipeline.files if file.name != pipeline.facts]
    return sorted(path for path in sample.files if not any(fnmatch(path, other) for other in others))


def send_no_rows(trial: Trial, sample: Sample, files: Mapping[str, bytes] | None) -> None:
    """Send the facts of a day without rows. files: these; None: the first lines of a plain CSV."""
    facts = trial.pipeline.source(trial.pipeline.facts)
    if isinstance(facts, Table):
        _change(trial, facts, "delete from {}")
        return
    for path, content in (files or _headers(trial.pipeline, sample)).items():
        trial.deliver_file(path, content)


def rename_a_column(trial: Trial, sample: Sample, files: Mapping[str, bytes] | None) -> None:
    """Send the facts with their first column under another name. files: these; None: those of a plain CSV."""
    facts = trial.pipeline.source(trial.pipeline.facts)
    if isinstance(facts, Table):
        _change(trial, facts, "alter table {} rename column {} to {}", facts.columns[0].header, OTHER_NAME)
        return
    for path, content in (files or _renamed(trial.pipeline, sample)).items():
        trial.deliver_file(path, content)


def _renamed(pipeline: Pipeline, sample: Sample) -> dict[str, bytes]:
    facts = pipeline.file(pipeline.facts)
    name, other = (name.encode(facts.form.encoding) for name in (facts.columns[0].header, OTHER_NAME))
    headers = _headers(pipeline, sample).items()
    return {path: header.replace(name, other, 1) + sample.files[path].removeprefix(header) for path, header in headers}


def _change(trial: Trial, table: Table, statement: str, *names: str) -> None:
    relation = sql.Identifier(*table.relation.split(".", 1))
    with trial.source() as connection:
        connection.execute(sql.SQL(statement).format(relation, *map(sql.Identifier, names)))


def _headers(pipeline: Pipeline, sample: Sample) -> dict[str, bytes]:
    """Return the first line of each file of the facts, by path. Skips the test if it is not the header."""
    facts = pipeline.file(pipeline.facts)
    headers = {path: sample.files[path].splitlines(keepends=True)[0] for path in files_of_facts(pipeline, sample)}
    name = facts.columns[0].header.encode(facts.form.encoding)
    if not headers or not all(name in header for header in headers.values()):
        pytest.skip("the facts are no plain CSV with its header in the first line: name `empty` and `drifted`")
    return headers
