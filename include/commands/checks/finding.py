"""What a check found, and what to do about it."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the doctor's answer. state: "unknown" if it could not be checked. mend: "" if all is well."""

    check: str
    state: Literal["well", "mend", "unknown"]
    found: str
    mend: str = ""
