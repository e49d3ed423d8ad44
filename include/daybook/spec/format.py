"""The format of dates and timestamps: strptime's directives, and what a format has to tell so that nothing is guessed.

Python's strptime takes more than this and guesses: it drops %p beside %H, lets %j win over %d, and a time zone that is
only a text of the format is no time zone to it.
"""

import re

# The directives that the loader reads, each checked strictly.
WORDS = "YymbBdjHIpMSfz"
# Those of a clock time without a date.
CLOCK_WORDS = "HIpMS"
# Those that may be written without zeros: %-d is 5 or 05.
UNPADDED = "mdHIMS"
# Numbers of days since 1899-12-30, of seconds and of milliseconds since 1970-01-01 in UTC.
NAMED = ("excel", "unix", "unix_ms")
# Of each of these only one: two would tell the same, and may contradict each other.
ALTERNATIVES = ("Yy", "mbBj", "dj", "HI")
# Pairs that mean something only together.
PAIRS = (("I", "p"), ("p", "I"))
# A sign and digits, with a name before it as in UTC+2; the name of a place; a word.
ZONE = re.compile(r"[A-Za-z]*[+\-\u2212][0-9]{1,2}(?::?[0-9]{2})?|[A-Za-z_]+/[A-Za-z_/]+|[A-Za-z]+")
UTC = re.compile(r"(?:Z|UTC?|GMT|Etc/UTC)?(?:[+\-\u2212]0{1,2}(?::?00)?)?")
# In capitals every word is taken for a time zone; in other letters these are.
ABBREVIATIONS = re.compile("[ecmp][sd]t|ak[sd]t|hst|ce?s?t|mes?t|mesz?|mez|[ew]es?t|bst|ist|msk|jst|utc|gmt|zulu")


def directives(format: str) -> list[str]:
    """Return a format's directives, such as "%d" and "%-d", and the signs between them, in their order."""
    return re.findall(r"%-?.|[^%]|%", format, re.DOTALL)


def check_format(format: str, missing_day: str | None = None) -> None:
    """Check the format of a date. Raises ValueError if it leaves something open or tells it twice.

    missing_day: the day of a month that is meant if the format tells none.
    """
    if format in NAMED:
        return
    words = _words(format)
    if "d" in words and missing_day:
        raise ValueError("it tells the day of the month, so missing_day says nothing; leave that out")
    words += ["d"] if missing_day else []
    if not set(words) <= set(WORDS) or len(set(words)) < len(words):
        raise ValueError(f"its words are {', '.join('%' + word for word in WORDS)}, each once")
    if not (set(words) & set("Yy") and ("j" in words or ("d" in words and set(words) & set("mbB")))):
        raise ValueError(f"it does not tell year, month and day{_hint(words)}")
    _check_widths(format)
    _check_alternatives(words)


def check_clock_format(format: str) -> None:
    """Check the format of a clock time without a date. Raises ValueError if it tells too little, or a thing twice."""
    words = _words(format)
    if not set(words) <= set(CLOCK_WORDS) or len(set(words)) < len(words):
        raise ValueError(
            f"a clock time's words are {', '.join('%' + word for word in CLOCK_WORDS)}, each once; it is a number of "
            "whole seconds, and has no date"
        )
    if not set(words) & set("HI") or ("S" in words and "M" not in words):
        raise ValueError("it does not tell the hour, or the second without the minute")
    _check_widths(format)
    _check_alternatives(words)


def _check_alternatives(words: list[str]) -> None:
    for same in ALTERNATIVES:
        if len(both := [f"%{word}" for word in same if word in words]) > 1:
            raise ValueError(f"{' and '.join(both)} tell the same; if they differed, one would win without a word")
    for word, other in PAIRS:
        if word in words and other not in words:
            raise ValueError(f"%{word} tells the hour only with %{other}; the hour of a day is %H, or %I with %p")


def _hint(words: list[str]) -> str:
    if not set(words) & set("Yymbdj"):
        return (
            ": a time alone is not an instant; read it as a clock_time, or name the column of its date (date_column) "
            f"and write the format of both; a number of days or seconds is one of {', '.join(NAMED)}"
        )
    return '; for a month without a day declare missing_day="first" or "last"' if "d" not in words else ""


def _check_widths(format: str) -> None:
    parts = ["", *directives(format), ""]
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if part.startswith("%-") and part[2:] not in UNPADDED:
            raise ValueError(f"{part} is none: {', '.join('%-' + word for word in UNPADDED)} have no leading zeros")
        if part.startswith("%-") and any(re.match(r"%[^%bBpz]|[0-9]", other) for other in (before, after)):
            raise ValueError(f"beside {part}, which has one digit or two, digits have no clear end; put a sign between")


def problem_of_fraction(format: str) -> str | None:
    """Return what is wrong if a format has no fraction of a second after a sign, so that both may be missing."""
    parts = directives(format)
    at = parts.index("%f") if "%f" in parts else 0
    return f"the format {format!r} has no %f after a sign, as in %S.%f" if not at or parts[at - 1][0] == "%" else None


def tells(format: str, word: str) -> bool:
    """Return whether a format has a directive."""
    return word in _words(format)


def check_instant_format(format: str) -> None:
    """Check the format of a timestamp too for a time zone that is only text. Raises ValueError."""
    zone = literal_zone(format)
    if zone and not UTC.fullmatch(zone):
        raise ValueError(
            f"{zone!r} looks like an offset or a time zone, and as a text of the format it would be read as UTC; "
            "write %z for an offset (+02, +0200, +02:00, Z), or let it be delivered in UTC (Z, UTC or no zone)"
        )


def literal_zone(format: str) -> str | None:
    """Return what looks like an offset or a time zone in the texts between a format's directives, or None."""
    if "z" in _words(format):
        return None
    literals = re.split(r"%-?.", format)
    found = (match[0] for literal in literals for match in ZONE.finditer(literal))
    return next((text for text in found if _is_zone(text)), None)


def tells_of_utc(format: str) -> bool:
    """Return whether a format is of an instant in UTC or with an offset, so that its day is not a local one."""
    return "z" in _words(format) or literal_zone(format) is not None or format in ("unix", "unix_ms")


def table_format(format: str, kind: str) -> str:
    """Return the format in which a table's column is copied: that of the spec, with a fraction of a second.

    Raises ValueError if it would cut values: the table holds centuries, and times to the microsecond.
    """
    words = set(_words(format))
    if format in NAMED or "%-" in format:
        raise ValueError("a table's values have types, and no spelling; leave it out")
    if "y" in words:
        raise ValueError("%y would cut the century of a table's values; write %Y")
    if kind == "date" or "f" in words:
        return format
    if not (words >= set("HMS") or words >= set("IpMS")):
        raise ValueError("it does not tell hour, minute and second, so a table's times would be cut; leave it out")
    return format.replace("%S", "%S.%f")


def _words(format: str) -> list[str]:
    return [part[-1] for part in directives(format) if part.startswith("%") and part != "%%"]


def _is_zone(text: str) -> bool:
    # One letter is a text, as in 2013-01-05T10h30, but for the Z of UTC.
    is_name = ABBREVIATIONS.fullmatch(text.lower()) or re.search("/|[A-Z]{2}", text)
    return bool(text == "Z" or is_name or re.search(r"[+\-\u2212][0-9]", text))
