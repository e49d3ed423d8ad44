"""The part of a spec about files: which ones a source is delivered in, and when they count as there and whole."""

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.source import Source

# All copies stay open until the last part is whole, and a process may have a thousand files open.
MOST_PARTS = 500


class _EveryPart:
    def __format__(self, form: str) -> str:
        return "*"


# In a path, stands for the number of any part.
EVERY_PART = _EveryPart()


class File(Source):
    """A CSV file on an FTP server, one a day: `path` holds the day, as in "flights/flights_{day:%Y-%m-%d}.csv".

    It may come in parts, each with its own header. `parts` is their number, and `path` their name:
    "flights_{day:%Y%m%d}_{part}of{parts}.csv". Or a `manifest` names them: a file in the same folder, with one name
    per line or in the format of sha256sum; then there is no `path`.

    A file counts once its size and time have not changed between two looks, `look_every_s` apart; at the first look if
    the sender writes it under another name and renames it (`is_written_whole`); or as soon as a `marker` lies beside
    it, as in "{path}.done", or a `checksum`, as in "{path}.sha256", which the copy must then match. All parts are
    waited for until `cut_off`, a clock time of the day after, in the schedule's time zone. `size_limit_bytes` is for
    all parts together. `is_size_unreliable`: the server is known to report wrong sizes, so two equal copies are enough.
    """

    parts: int | None = Field(None, ge=1, le=MOST_PARTS)
    path: str | None = None
    manifest: str | None = None
    marker: str | None = None
    checksum: str | None = None
    is_written_whole: bool = False
    # Airflow 3.3 counts a task as lost if it is due again within seconds, before its worker has finished with it.
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
                raise BadSpec(f"File {self.name!r}, path {path!r}: a control character is not part of a path")
        return self

    @property
    def is_in_parts(self) -> bool:
        """Return whether the file comes in parts, even if there is only one."""
        return self.parts is not None or self.manifest is not None

    def path_on(self, day: date, part: object = EVERY_PART) -> str:
        """Return the path on the server for a day: of the file, of a part, or of the manifest that names the parts."""
        return (self.manifest or self.path or "").format(day=day, part=part, parts=self.parts)

    def signs_on(self, day: date, path: str, part: object = EVERY_PART) -> dict[str, str]:
        """Return the paths of the marker and the checksum that prove a file whole, by the spec's word for each."""
        signs = {"marker": self.marker, "checksum": self.checksum}
        words = {"path": path, "day": day, "part": part, "parts": self.parts}
        return {word: sign.format(**words) for word, sign in signs.items() if sign}

    def _problems(self) -> Iterator[str]:
        for column in (column for column in self.columns if column.time_zone):
            yield f"column {column.name!r}, time_zone: {column.time_zone!r} is refused: it is for columns of tables"
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
