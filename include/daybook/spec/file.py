"""The part of a spec about files: which ones a source is delivered in, and when they count as there and whole."""

import posixpath
import re
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.source import Source

Pick = Literal["only", "newest", "all"]
WILDCARD = "*"
# "day+1", the date on which a file of the day before is delivered.
ANOTHER_DAY = re.compile(r"day([+-]\d{1,3})")
# A day that has others before it.
SOME_DAY = date(2000, 6, 15)
# All copies stay open until the last part is whole, and a process may have a thousand files open.
MOST_PARTS = 500


class _EveryPart:
    def __format__(self, form: str) -> str:
        return "*"


# In a path, stands for the number of any part.
EVERY_PART = _EveryPart()


class _Words(dict[str, Any]):
    """What can be filled into a path; `day` brings the days around it."""

    def __missing__(self, word: str) -> date:
        found = ANOTHER_DAY.fullmatch(word)
        if not found:
            raise KeyError(word)
        day: date = self["day"]
        return day + timedelta(days=int(found[1]))


class File(Source):
    """A file on a server, one a day: `path` holds the day, as in "flights/flights_{day:%Y-%m-%d}.csv". It is CSV
    unless its form says otherwise.

    `{day+1:%Y%m%d}` is the date of the day after, on which the file may be delivered; any number of days will do, with
    + or -. With `ignore_case` capitals in the file's own name do not matter.

    It may come in parts, each with its own header. `parts` is their number, and `path` their name:
    "flights_{day:%Y%m%d}_{part}of{parts}.csv". `first_part` is the number of the first: with 24 parts from 0 on,
    "{part:02}" are the hours 00 to 23. Or a `manifest` names them: a file in the same folder, with one name per line or
    in the format of sha256sum; then there is no `path`.

    If a name is known only in part, `path` has wildcards in it (`*`, for any signs), and `pick` says which of the
    files that match are taken: the "only" one, so two are refused; the "newest" by the server's times; or "all",
    one a branch, say, as parts in the order of their names, of which there have to be `at_least` so many. A name that
    begins with a point, and a marker or checksum, matches no wildcard.

    A file counts once its size and time have not changed between two looks, `look_every_s` apart; at the first look if
    the sender writes it under another name and renames it (`is_written_whole`); or as soon as a `marker` lies beside
    it, as in "{path}.done", or a `checksum`, as in "{path}.sha256", which the copy must then match. All parts are
    waited for until `cut_off`, a clock time of the day after, in the schedule's time zone. `size_limit_bytes` is for
    all parts together. `is_size_unreliable`: the server is known to report wrong sizes, so two equal copies are enough.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"first_part", "pick", "at_least", "ignore_case"})

    parts: int | None = Field(None, ge=1, le=MOST_PARTS)
    first_part: int = Field(1, ge=0, le=1)
    path: str | None = None
    pick: Pick | None = None
    at_least: int = Field(1, ge=1, le=MOST_PARTS)
    ignore_case: bool = False
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
        words = _Words(day=SOME_DAY)
        if field.field_name in ("marker", "checksum"):
            words["path"] = ""
        if field.data.get("parts") and field.field_name != "manifest":
            words |= {"part": 1, "parts": field.data["parts"]}
        try:
            (path or "").format_map(words)
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
        for path in (self.path_on(SOME_DAY), *self.signs_on(SOME_DAY, "").values()):
            if re.search(r"[\x00-\x1f\x7f]", path):
                raise BadSpec(f"File {self.name!r}, path {path!r}: a control character is not part of a path")
        return self

    @property
    def is_in_parts(self) -> bool:
        """Return whether the file comes in parts, even if there is only one."""
        return self.parts is not None or self.manifest is not None or self.pick == "all"

    def label(self, number: int) -> int:
        """Return the number that the supplier gives to a part. number: from 1 on."""
        return number - 1 + self.first_part

    def path_on(self, day: date, part: object = EVERY_PART) -> str:
        """Return the path on the server for a day: of the file, of a part, or of the manifest that names the parts.

        part: its label. Wildcards stay.
        """
        return (self.manifest or self.path or "").format_map(_Words(day=day, part=part, parts=self.parts))

    def signs_on(self, day: date, path: str, part: object = EVERY_PART) -> dict[str, str]:
        """Return the paths of the marker and the checksum that prove a file whole, by the spec's word for each.

        part: its label.
        """
        signs = {"marker": self.marker, "checksum": self.checksum}
        words = _Words(path=path, day=day, part=part, parts=self.parts)
        return {word: sign.format_map(words) for word, sign in signs.items() if sign}

    def _problems(self) -> Iterator[str]:
        if self.manifest is None:
            yield from self._problems_of_path()
        else:
            for word in ("path", "parts", "marker", "checksum", "pick"):
                if (given := getattr(self, word)) is not None:
                    yield f"{word}: {given!r} is refused: with a manifest there is none, for it says what there is"
        if self.first_part != 1 and self.parts is None:
            yield f"first_part: {self.first_part} is refused: there are no parts; say how many, as parts=24"
        if self.at_least != 1 and self.pick != "all":
            yield f'at_least: {self.at_least} is refused: it says how many files match, with pick="all"'

    def _problems_of_path(self) -> Iterator[str]:
        if self.path is None:
            yield "path: is missing; it takes a path, or a manifest that names the files"
        elif self.parts and self.path_on(SOME_DAY, 1) == self.path_on(SOME_DAY, 2):
            yield f"path: {self.path!r} is refused: with parts it has to say which, as in {{part}}of{{parts}}"
        else:
            yield from self._problems_of_wildcards(self.path)

    def _problems_of_wildcards(self, path: str) -> Iterator[str]:
        folder, name = posixpath.split(path)
        if WILDCARD in folder:
            yield f"path: {path!r} is refused: a wildcard stands in the name of a file, not in that of a folder"
        elif WILDCARD in name and self.parts:
            yield f"path: {path!r} is refused: the names of parts are known, and have no wildcard"
        elif WILDCARD in name and self.pick is None:
            yield f'path: {path!r} is refused: a wildcard needs pick="only", "newest" or "all"'
        elif self.pick and WILDCARD not in name:
            yield f"pick: {self.pick!r} is refused: {path!r} has no wildcard, *, so there is nothing to pick from"
