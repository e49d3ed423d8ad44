"""The part of a spec about copies of a day's published files at other places: which files, and where they go."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.value import Name, Value, unknown

Format = Literal["csv", "parquet", "report"]
REPORT = "report"
# A day, and others that differ from it by day, month or year only.
SOME_DAYS = (date(2000, 6, 15), date(2000, 6, 16), date(2000, 7, 15), date(2001, 6, 15))


class Exported(NamedTuple):
    """One file of an export: its name in the published folder, and its path at the other place."""

    file: str
    path: str


class Export(Value):
    """A copy of a day's published files on a server of files, in a bucket or in a folder, whenever readers see others.

    `path` says where each file goes, with the day, as in "out/{day:%Y-%m-%d}/{name}.{format}": `{name}` is the
    summary's, and "report" of the report; `{format}` is csv, parquet or html. Of a roll-up (`every`) go the files of
    each finished period, with its first day as the day, and again when a day of it has changed.
    """

    name: Name
    """Its name in messages, and in the ledger."""
    connection: str
    """The id of an Airflow connection: FTP, SFTP, a bucket or a folder."""
    path: str
    summaries: tuple[Name, ...] = ()
    """The summaries whose files go there; all of them if none is named."""
    formats: tuple[Format, ...] = Field(("csv",), min_length=1)
    """The forms in which they go: "csv", "parquet", and "report" for the day's report."""
    marker: str | None = None
    """The path of a file that is written last, with the day: it holds the sha256 and the path of each file of the day.
    There is none of a finished period."""

    @field_validator("connection")
    @classmethod
    def _is_an_id(cls, connection: str) -> str:
        if "://" in connection:
            raise ValueError("it takes the id of an Airflow connection, not an address; a web server takes no files")
        return connection

    @field_validator("path", "marker")
    @classmethod
    def _can_be_filled_in(cls, path: str | None, field: ValidationInfo) -> str | None:
        words = {"day": SOME_DAYS[0], **({"name": "n", "format": "f"} if field.field_name == "path" else {})}
        try:
            filled = (path or "").format_map(words)
        except (KeyError, IndexError, ValueError) as error:
            known = " and the ".join(words)
            raise ValueError(f"only the {known} can be filled in, as in {{day:%Y%m%d}} ({error!r})") from None
        if re.search(r"[\x00-\x1f\x7f]", filled):
            raise ValueError("a control character is not part of a path")
        if ".." in filled.split("/"):
            raise ValueError("it leads out of its folder")
        if path is not None and not filled.rpartition("/")[2]:
            raise ValueError("it names a folder, and a file is expected")
        return path

    @model_validator(mode="after")
    def _paths_hold_the_day(self) -> "Export":
        for word in ("path", "marker"):
            path = getattr(self, word)
            if path and len({path.format(day=day, name="n", format="f") for day in SOME_DAYS}) < len(SOME_DAYS):
                raise BadSpec(
                    f"Export {self.name!r}, {word}: {path!r} is refused: two days would go to one path; it has to hold "
                    "the whole day, as in {day:%Y-%m-%d}"
                )
        return self

    def files_on(self, day: date, summaries: tuple[str, ...]) -> tuple[Exported, ...]:
        """Return the files that go out for a day. summaries: of the pipeline, in its order."""
        wanted = self.taken(summaries)
        return tuple(
            Exported(f"{name}.{ending}", self.path.format(day=day, name=name, format=ending))
            for form in self.formats
            for name, ending in ([(REPORT, "html")] if form == REPORT else [(name, form) for name in wanted])
        )

    def files_of_period(self, first: date, roll_up: str) -> tuple[Exported, ...]:
        """Return the files that go out for a finished period of a roll-up. first: its first day."""
        forms = [form for form in self.formats if form != REPORT] if self.taken((roll_up,)) else []
        return tuple(
            Exported(f"{roll_up}.{form}", self.path.format(day=first, name=roll_up, format=form)) for form in forms
        )

    def taken(self, summaries: tuple[str, ...]) -> list[str]:
        """Return those of some summaries that it takes, in their order."""
        return [name for name in summaries if name in (self.summaries or summaries)]

    def of_roll_up(self, name: str) -> str:
        """Return its name as that of a roll-up's periods, which are owed apart from the days."""
        return f"{self.name}/{name}"

    def marker_on(self, day: date) -> str | None:
        """Return the path of a day's marker; None if there is none."""
        return self.marker.format(day=day) if self.marker else None


def export_problems(
    exports: tuple[Export, ...], summaries: tuple[str, ...], roll_ups: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with a pipeline's exports: an unknown summary, a path that two files would go to, or a marker
    that none would. summaries: of days."""
    taken: dict[tuple[str, str], str] = {}
    for number, export in enumerate(exports):
        for place, name in enumerate(export.summaries):
            yield from unknown(f"exports[{number}].summaries[{place}]", name, (*summaries, *roll_ups), "summary")
        if export.marker and not export.files_on(SOME_DAYS[0], summaries):
            yield f"exports[{number}].marker: {export.marker!r} is refused: no file of a day goes there to be marked"
        for word, path in _paths(export, summaries, roll_ups):
            here = f"exports[{number}].{word}"
            if other := taken.get((export.connection, path)):
                yield f"{here}: {path!r} is where {other} writes too; write {{name}} and {{format}} into it"
            taken[(export.connection, path)] = here


def _paths(export: Export, summaries: tuple[str, ...], roll_ups: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from (("path", exported.path) for exported in export.files_on(SOME_DAYS[0], summaries))
    for name in roll_ups:
        yield from (("path", exported.path) for exported in export.files_of_period(SOME_DAYS[0], name))
    if marker := export.marker_on(SOME_DAYS[0]):
        yield "marker", marker
