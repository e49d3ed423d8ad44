"""The task of the DAG daybook_tidy: keeps house for every pipeline that loads."""

import logging
from functools import partial
from typing import Any

from daybook.errors import DaybookError
from daybook.pipelines import load_pipelines
from daybook.publish.tidy import Removal, tidy, untidy
from daybook.spec import Pipeline
from daybook.text import one_line
from daybook_airflow import hooks
from daybook_airflow.data import data_folder

log = logging.getLogger(__name__)


def keep_house(params: dict[str, Any], **_: Any) -> dict[str, int]:
    """Remove, or only name, what nobody needs any more; return how many things by pipeline.

    A pipeline whose warehouse is away does not stop the others: the last error is raised once all had their turn.
    """
    counts, last = dict[str, int](), None
    for name, pipeline in load_pipelines().good.items():
        try:
            counts[name] = len(_of_pipeline(pipeline, is_dry=bool(params["dry_run"])))
        except DaybookError as error:
            log.warning("%s: %s", name, error)
            last = error
    if last:
        raise last
    return counts


def _of_pipeline(pipeline: Pipeline, *, is_dry: bool) -> list[Removal]:
    data, connect = data_folder(), partial(hooks.postgres, pipeline.target.connection)
    found = untidy(connect, data, pipeline)
    for one in found.removals:
        log.info("%s %s: %s", "would remove" if is_dry else "removes", one_line(one.place), one.why)
    if not is_dry:
        tidy(connect, data, found)
    return found.removals
