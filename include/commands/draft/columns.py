"""The kind of each column of a sample: what all of its texts can be read as, and what they leave open."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from commands.draft import moments, numbers
from commands.draft.answers import Answers
from commands.draft.moments import Moments
from commands.draft.texts import Texts
from commands.spellings import YES_AND_NO
from daybook.errors import BadSpec
from daybook.loader.values import FORMULA
from daybook.spec import Column
from daybook.spec.column import CLOCK_UNIT
from daybook.text import counted, one_line, verb

# Pairs that mean yes and no and little else: 1 and 0 are numbers first, and "N" beside "S" or "O" may be a direction.
PAIRS = tuple(pair for pair in YES_AND_NO if pair not in (("1", "0"), ("X", "-"), ("S", "N"), ("O", "N")))
# The answer that keeps a column a text.
TEXT = "text"


class Named(NamedTuple):
    """The day in a file's name, or the month, if it tells no day."""

    day: date
    is_month: bool

    def holds(self, day: date) -> bool:
        """Return whether another day is this one, or is in this month."""
        return (day.replace(day=1) if self.is_month else day) == self.day


class Proposed(NamedTuple):
    """A column as proposed, its texts, what is worth a comment, and the questions that it leaves open."""

    column: Column
    texts: Texts
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    is_local: bool = False


def proposed(column: Column, texts: Texts, delimiter: str, answers: Answers, named: Named | None = None) -> Proposed:
    """Return the column with its kind. column: of text, with its name and place. named: the day in the file's name."""
    missing = tuple(_missing(texts))
    format = answers.formats.get(column.header, answers.formats.get(column.name))
    if not texts.values:
        return Proposed(column, texts, ("always empty: a text, until you know more", *missing[1:]))
    if format is not None:
        return _as_answered(column, texts, format, missing)
    found = (
        _yes_or_no(column, texts)
        or _moment(column, texts, named)
        or _clock_time(column, texts)
        or _number(column, texts, delimiter, answers)
    )
    if found is None:
        is_formula = all(map(FORMULA.fullmatch, texts.values))
        column = changed(column, formulas="read") if is_formula else column
        return Proposed(column, texts, (*missing[:1], *_of_text(texts)))
    if found.column.kind == "text":
        return found._replace(notes=(*missing[:1], *found.notes, *list(_of_text(texts))[1:]))
    return found._replace(column=_with_tokens(found.column, texts), notes=(*missing, *found.notes))


def _missing(texts: Texts) -> Iterator[str]:
    """Yield how many fields are empty, and how many are a spelling of nothing."""
    rows = f"{texts.rows:,}"
    if texts.missing:
        yield f"{texts.missing:,} of {rows} {'is' if texts.missing == 1 else 'are'} empty"
    else:
        yield f"none of {rows} is empty"
    for token in texts.tokens:
        yield f"{texts.counts[token]:,} of {rows} {verb(texts.counts[token])} {one_line(repr(token))}"


def _of_text(texts: Texts) -> Iterator[str]:
    different = len(texts.values)
    yield f"{counted(different, 'different text')}" if different < texts.rows else "all different"
    for token in (token for token in texts.tokens if token):
        count = texts.counts[token]
        yield (
            f"{count:,} {verb(count)} {one_line(repr(token))}, which is a text here; decide: "
            f"null_tokens=({one_line(repr(token))},) makes it nothing"
        )


def _with_tokens(column: Column, texts: Texts) -> Column:
    return changed(column, null_tokens=texts.tokens) if texts.tokens else column


def _yes_or_no(column: Column, texts: Texts) -> Proposed | None:
    values = set(texts.values)
    pair = next((pair for pair in PAIRS if values == set(pair)), None)
    if pair is None:
        return None
    plain = {"true_tokens": (pair[0],), "false_tokens": (pair[1],)} if pair != ("true", "false") else {}
    yes = sum(texts.counts[text] for text in values if text == pair[0])
    return Proposed(changed(column, kind="boolean", **plain), texts, (f"{yes:,} {verb(yes)} {pair[0]!r}",))


def _number(column: Column, texts: Texts, delimiter: str, answers: Answers) -> Proposed | None:
    ways = numbers.ways_to_read(texts.values, delimiter, answers.decimal_mark)
    if not ways:
        return None
    found = numbers.number_column(column, ways[0])
    if found is None:
        why = "digits with zeros before them, or more than 18 of them, which no number holds: a text"
        return Proposed(column, texts, (why,))
    if len(ways) > 1:
        marks = " or ".join(f"--decimal-mark {mark!r}" for mark in dict.fromkeys(way.mark for way in ways))
        question = (
            f"column {one_line(repr(column.header))}: every mark stands before three digits, so it may stand before "
            f"decimals or between thousands; say {marks}"
        )
        return Proposed(found, texts, questions=(question,))
    notes = (numbers.digits_seen(ways[0]),) if found.kind == "decimal" else ()
    percent = ('12.5% is read as 12.5; percent="divide" makes it 0.125',) if found.percent else ()
    return Proposed(found, texts, (*notes, *percent))


def _moment(column: Column, texts: Texts, named: Named | None) -> Proposed | None:
    ways = moments.ways_to_read(texts.values)
    if not ways:
        return None
    of_name = [way for way in ways if named and all(map(named.holds, moments.days_by(way, texts.values)))]
    if len(ways) > 1 and len(of_name) == 1 and not of_name[0].has_two_digits:
        note = "day and month stand in this order, for so all are of the day in the file's name"
        return _of_moment(column, texts, of_name[0])._replace(notes=(note,))
    found = _of_moment(column, texts, ways[0])
    if len(ways) > 1 or ways[0].has_two_digits:
        return found._replace(questions=(_question(column, ways),))
    return found


def _clock_time(column: Column, texts: Texts) -> Proposed | None:
    words = moments.of_clock_times(texts.values)
    return Proposed(changed(column, kind="integer", unit=CLOCK_UNIT, **words), texts, (CLOCK_UNIT,)) if words else None


def _of_moment(column: Column, texts: Texts, way: Moments) -> Proposed:
    return Proposed(changed(column, kind=way.kind, **way.words), texts, is_local=way.is_local)


def _question(column: Column, ways: list[Moments]) -> str:
    header = one_line(column.header)
    options = " or ".join(f"--format '{header}={way.format}'" for way in ways[:4])
    if len(ways) > 1:
        why = "its values may be read in several ways, and do not say which"
    else:
        why = "its years have two digits, which do not say the century (as a rule 69 is 1969, and 68 is 2068)"
    return f"column {one_line(repr(column.header))}: {why}; ask the sender, and say {options}"


def _as_answered(column: Column, texts: Texts, format: str, missing: tuple[str, ...]) -> Proposed:
    option = f"--format {one_line(column.header)}={one_line(format)}"
    if format == TEXT:
        return Proposed(column, texts, (*missing[:1], *_of_text(texts)))
    try:
        way = moments.by_format(format, texts.values)
    except BadSpec as error:
        return Proposed(column, texts, questions=(f"{option}: {str(error).partition(' is refused: ')[2] or error}",))
    if way is None:
        return Proposed(column, texts, questions=(f"{option}: not all values of the column are written so",))
    found = _of_moment(column, texts, way)
    return found._replace(column=_with_tokens(found.column, texts), notes=missing)


def changed(column: Column, **words: object) -> Column:
    """Return a column with some words changed."""
    # What is for readers is in no dump.
    return Column(**(column.model_dump() | {"unit": column.unit} | words))
