"""Pipelines built from the text of a module, as Airflow and the commands build them by importing it."""

from typing import Any

from daybook.spec import Pipeline


def built(text: str) -> Pipeline:
    """Return the pipeline of a module's text."""
    words: dict[str, Any] = {}
    exec(compile(text, "<module>", "exec"), words)  # noqa: S102 - written by the test
    pipeline: Pipeline = words["PIPELINE"]
    return pipeline
