"""The pipelines there are: one module here is one pipeline, named PIPELINE in it. Adding one touches no other file."""

import importlib
import pkgutil

from daybook.errors import BadSpec
from daybook.spec import Pipeline


def _found() -> dict[str, Pipeline]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    pipelines = [_pipeline_of(module) for module in modules]
    return {pipeline.name: pipeline for pipeline in pipelines}


def _pipeline_of(module: str) -> Pipeline:
    try:
        return importlib.import_module(f"{__name__}.{module}").PIPELINE  # type: ignore[no-any-return]
    except BadSpec as error:
        raise BadSpec(f"include/daybook/pipelines/{module}.py: {error}") from None


PIPELINES: dict[str, Pipeline] = _found()
