"""The conf of a run, as the form, REST or a command line gives it: its words are checked before anything is done.

Airflow checks the kinds of the form's words, but lets every other word through.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import StrictBool, StrictStr, ValidationInfo, field_validator

from daybook.days import WrittenDay
from daybook.spec import Value


class Conf(Value):
    """The words that a run may be given. Building one raises BadSpec, with the nearest right word, for any other.

    day, days: to work on instead of the run's own. force: do every step again. release: why a held day is published.
    overrides: values of the spec that this run sets otherwise, by their paths; the conf has each under its path, and a
    null there is as in the spec. A null is a word that is not given.
    """

    day: WrittenDay | None = None
    days: tuple[WrittenDay, ...] = ()
    force: StrictBool = False
    release: StrictStr | None = None
    overrides: dict[str, Any] = {}

    @field_validator("days", "force", mode="before")
    @classmethod
    def _may_be_empty(cls, given: object, info: ValidationInfo) -> object:
        return cls.model_fields[str(info.field_name)].default if given is None else given

    @field_validator("days")
    @classmethod
    def _are_alone(cls, days: tuple[date, ...], info: ValidationInfo) -> tuple[date, ...]:
        if days and info.data.get("day"):
            raise ValueError("day is set too; give one of them")
        return days


def conf_of(given: Mapping[str, Any] | None) -> Conf:
    """Return the checked conf of a run; None is an empty one. Raises BadSpec.

    Whether the pipeline lets a run set a path, and to this value, is not checked here.
    """
    words = dict(given or {})
    paths = sorted(word for word in words if "." in word)
    overrides = {path: value for path in paths if (value := words.pop(path)) is not None}
    return Conf(**words, **({"overrides": overrides} if overrides else {}))
