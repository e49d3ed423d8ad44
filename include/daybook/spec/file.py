"""The part of a spec that says in which files a source is delivered, and what makes them count as there and whole."""

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.source import Source

# The copies of all parts are open until the last one is whole, and a process may have a thousand files open.
MOST_PARTS = 500


class _EveryPart:
    def __format__(self, form: str) -> str:
        return "*"


# Stands in a path for the number of any part.
EVERY_PART = _EveryPart()


class File(Source):
    """A CSV file on an FTP server, one a day: `path` holds the day, as in "flights/flights_{day:%Y-%m-%d}.csv".

    It may come in parts, each with its own header. `parts` says how many there are, and `path` how they are called:
    "flights_{day:%Y%m%d}_{part}of{parts}.csv". Or they are those that a `manifest` names, a file in whose folder they
    lie, with a name a line or with what sha256sum writes; then there is no `path`.

    A file counts once its size and time have stood still over two looks, `look_every_s` apart; at the first look if
    the sender writes it whole under another name and renames it (`is_written_whole`); or as soon as a `marker` lies
    beside it, as in "{path}.done", or its `checksum`, as in "{path}.sha256", which the copy then has to fit. All parts
    are waited for until `cut_off`, a clock time of the day after, in the schedule's time zone. `size_limit_bytes` is
    for all parts together. `is_size_unreliable`: the server is known to tell wrong sizes, so two equal copies are
    enough.
    """

    parts: int | None = Field(None, ge=1, le=MOST_PARTS)
    path: str | None = None
    manifest: str | None = None
    marker: str | None = None
    checksum: str | None = None
    is_written_whole: bool = False
    # Airflow 3.3 takes a task that is due again within seconds, before its worker was let go, for one that was lost.
    look_every_s: int = Field(60, ge=10)
    cut_off: time = time(12)
    size_limit_bytes: int = Field(2_000_000_000, ge=1)
    is_size_unreliable: bool = False

    @field_validator("path", "manifest", "marker", "checksum")
    @classmethod
    def _holds_the_day(cls, path: str | None, field: ValidationInfo) -> str | None:
        words: dict[str, Any] = {"day": date.min}
        if field.field_name in ("marker", "checksum"):
            words["path"] = ""
        if field.data.get("parts") and field.field_name != "manifest":
            words |= {"part": 1, "parts": field.data["parts"]}
        try:
            (path or "").format(**words)
        except (KeyError, IndexError, ValueError) as error:
            known = " and the ".join(words)
            raise ValueError(f"only the {known} can be filled in, as in {{day:%Y%m%d}} ({error!r})") from None
        return path

    @model_validator(mode="after")
    def _words_go_together(self) -> Self:
        if problems := "; ".join(f"File {self.name!r}, {problem}" for problem in self._problems()):
            raise BadSpec(problems)
        return self

    @model_validator(mode="after")
    def _paths_are_one_line(self) -> Self:
        # A line end in a path would be a second command on the control connection (RFC 959, 5.3).
        for path in (self.path_on(date.min), *self.signs_on(date.min, "").values()):
            if re.search(r"[\x00-\x1f\x7f]", path):
                raise BadSpec(f"File {self.name!r}, path {path!r}: a control character is no part of a path")
        return self

    @property
    def is_in_parts(self) -> bool:
        """Return whether the file comes in parts, and be it in one."""
        return self.parts is not None or self.manifest is not None

    def path_on(self, day: date, part: object = EVERY_PART) -> str:
        """Return the path on the server for a day: of the file, of a part, or of the manifest that names the parts."""
        return (self.manifest or self.path or "").format(day=day, part=part, parts=self.parts)

    def signs_on(self, day: date, path: str, part: object = EVERY_PART) -> dict[str, str]:
        """Return the paths of what says that the file at a path is whole, by the spec's word for it."""
        signs = {"marker": self.marker, "checksum": self.checksum}
        words = {"path": path, "day": day, "part": part, "parts": self.parts}
        return {word: sign.format(**words) for word, sign in signs.items() if sign}

    def _problems(self) -> Iterator[str]:
        if self.manifest is None:
            yield from self._problems_of_path()
        else:
            for word in ("path", "parts", "marker", "checksum"):
                if (given := getattr(self, word)) is not None:
                    yield f"{word}: {given!r} is refused: with a manifest there is none, for it says what there is"

    def _problems_of_path(self) -> Iterator[str]:
        if self.path is None:
            yield "path: is missing; it takes a path, or a manifest that names the files"
        elif self.parts and self.path_on(date.min, 1) == self.path_on(date.min, 2):
            yield f"path: {self.path!r} is refused: with parts it has to say which, as in {{part}}of{{parts}}"
