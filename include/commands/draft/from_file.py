"""The pipeline of a sample file: its columns, day, key and path, and the first numbers that it may publish."""

from collections import Counter
from datetime import date, datetime
from typing import Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from commands.draft.answers import SAY_ZONE, Answers, Draft, ask, refuse
from commands.draft.columns import Named, Proposed, changed, proposed
from commands.draft.keys import group_of, key_of
from commands.draft.literals import quoted
from commands.draft.names import free, names_of
from commands.draft.numbers_published import published
from commands.draft.paths import Dated, day_named, delivered_later, path_of
from commands.draft.sample import Sample
from commands.draft.texts import has_blanks, texts_of
from daybook.errors import BadSpec
from daybook.loader.values import Unfit, reader
from daybook.spec import Column, File, Form, Pipeline, Schedule, Target
from daybook.text import counted, nearest, one_line, spell

# The name of a column whose header is "day", if it is no date.
OF_DAY = "day_of_file"
# The names by which a day may stand in three columns.
PARTS_OF_DAY = (("year",), ("month",), (OF_DAY, "day_of_month", "dayofmonth", "mday"))
# If more rows than this share are of another day than the file's, the file holds several days.
OTHER_DAYS = 0.05


class Day(NamedTuple):
    """The columns of a row's day, and how many rows each day has."""

    columns: tuple[str, ...]
    rows: Counter[date]


def draft_of_file(sample: Sample, name: str, answers: Answers, connection: str) -> Draft:
    """Return a first pipeline for a sample. Raises WrongWords with all that the sample leaves open."""
    is_trimmed = any(has_blanks(sample.fields(place)) for place in range(len(sample.headers)))
    columns = _columns(sample, answers, is_trimmed=is_trimmed)
    _check_answers(columns, answers)
    ask([*(question for one in columns for question in one.questions), *_zone_asked(columns, answers)])
    day = _day(columns, sample, answers)
    dated = _dated(sample, name, answers, day)
    day_names, key = day.columns, key_of(columns, sample.checked.table)
    columns = [_required(one, {*key, *day_names}) for one in columns]
    words: dict[str, Any] = {"is_trimmed": True} if is_trimmed else {}
    words |= {"time_zone": answers.time_zone} if _is_local(columns) and answers.time_zone not in (None, "UTC") else {}
    words |= {"formulas": sample.source.formulas} if sample.source.formulas else {}
    form = sample.source.form
    file = _built(
        name=name,
        connection=connection,
        path=dated.path,
        columns=tuple(one.column for one in columns),
        key=key,
        delimiter=sample.source.delimiter,
        form=form,
        has_other_days=_has_other_days(dated, day),
        **({"pick": "only"} if "*" in dated.path else {}),
        **words,
    )
    first = min(day.rows) if dated.day is None or dated.is_month else dated.day
    numbers = published(columns, group_of(columns, (*day_names, *(key if len(key) == 1 else ()))), key)
    pipeline = Pipeline(
        name=name,
        description=f"{name.replace('_', ' ').capitalize()} by day",
        files=(file,),
        facts=name,
        day_columns=day_names,
        measures=numbers.measures,
        summaries=numbers.summaries,
        target=Target(schema=name),
        schedule=Schedule(time_zone=answers.time_zone or "UTC", start=first),
    )
    return Draft(pipeline, _notes(sample, columns, day, dated, key, form, answers) | numbers.notes)


def _built(**words: Any) -> File:
    try:
        return File(**words)
    except BadSpec as error:
        refuse(str(error))


def _columns(sample: Sample, answers: Answers, *, is_trimmed: bool) -> list[Proposed]:
    headers, names = _headers(sample), names_of(sample.headers)
    dated = day_named(sample.path.name)
    named = Named(dated.day, dated.is_month) if dated and dated.day else None
    found = []
    for place, source in enumerate(sample.source.columns):
        texts = texts_of(source.header, sample.fields(place), is_trimmed=is_trimmed)
        column = Column(header=headers[place], name=names[place], kind="text", position=source.position)
        one = (
            Proposed(source.model_copy(update={"name": column.name}), texts)
            if source.kind != "text"
            else proposed(column, texts, sample.source.delimiter, answers, named)
        )
        # Nothing is grouped by the day of a row but by `day`, so a date may have its name.
        is_day = one.column.name == OF_DAY and one.column.kind in ("date", "timestamp")
        found.append(one._replace(column=one.column.model_copy(update={"name": "day"})) if is_day else one)
    return found


def _headers(sample: Sample) -> list[str]:
    """Return what each column is called; one that is found by its place has a name of its own for messages."""
    headers: list[str] = []
    for place, (header, source) in enumerate(zip(sample.headers, sample.source.columns, strict=True), 1):
        name = header.strip() or f"column {place}"
        headers.append(free(name, headers) if source.position else header)
    return headers


def _check_answers(columns: list[Proposed], answers: Answers) -> None:
    known = [*(one.column.header for one in columns), *(one.column.name for one in columns)]
    known += [_together(three)] if (three := _three(columns)) else []
    for option, given in [("--format", name) for name in answers.formats] + [("--day-column", answers.day_column)]:
        if given is not None and given not in known:
            refuse(f"{option} {one_line(given)}: the sample has no such column{nearest(given, known)}")


def _is_local(columns: list[Proposed]) -> bool:
    return any(one.is_local for one in columns)


def _zone_asked(columns: list[Proposed], answers: Answers) -> list[str]:
    local = [one_line(repr(one.column.header)) for one in columns if one.is_local]
    if answers.time_zone or not local:
        return []
    return [f"the times of {', '.join(local)} have no offset, and do not say whose clock it is; {SAY_ZONE}"]


def _day(columns: list[Proposed], sample: Sample, answers: Answers) -> Day:
    three = _three(columns)
    dates = [one for one in columns if one.column.kind in ("date", "timestamp")]
    if three and (answers.day_column == _together(three) or not (dates or answers.day_column)):
        return _of_three(three, sample)
    if answers.day_column is not None:
        one = next(one for one in columns if answers.day_column in (one.column.header, one.column.name))
        if one.column.kind not in ("date", "timestamp"):
            refuse(
                f"--day-column {one_line(answers.day_column)}: the column is {one.column.kind}; it takes a date or a "
                f"time; if it is one, say how it is written, as in --format {one_line(answers.day_column)}=%d/%m/%Y"
            )
        return _of_one(one, answers)
    if not dates:
        _refuse_without_date(sample)
    return _of_several(dates, three, sample, answers) if three or len(dates) > 1 else _of_one(dates[0], answers)


def _of_several(dates: list[Proposed], three: list[Proposed], sample: Sample, answers: Answers) -> Day:
    """Return the only one of several dates whose rows all are of the day in the file's name. Raises WrongWords."""
    always = [one for one in dates if not one.texts.nothing]
    days = (
        {one.column.name: _of_one(one, answers) for one in always} if answers.time_zone or not _instants(always) else {}
    )
    named = {day for found in days.values() for day in found.rows if _is_named(sample, day)}
    of_name = [found for found in days.values() if set(found.rows) <= named]
    if len(of_name) == 1 and not three:
        return of_name[0]
    names = [*([_together(three)] if three else []), *(one.column.header for one in dates)]
    options = " or ".join(f"--day-column {quoted(name)}" for name in names)
    name = one_line(sample.path.name)
    ask([f"{name} has several dates, and does not say which one is the day of a row; say {options}"])
    raise AssertionError("a question ends it")


def _instants(columns: list[Proposed]) -> bool:
    return any(one.column.kind == "timestamp" for one in columns)


def _is_named(sample: Sample, day: date) -> bool:
    return path_of("", sample.path.name, {day}).day == day


def _of_one(one: Proposed, answers: Answers) -> Day:
    if one.column.kind == "timestamp" and answers.time_zone is None:
        header = one_line(repr(one.column.header))
        ask([f"a row is of the day of an instant, {header}, and nothing says in which zone a day ends; {SAY_ZONE}"])
    zone = answers.time_zone or "UTC"
    column = Column(**(one.column.model_dump() | ({"time_zone": zone} if one.is_local else {})))
    read, rows = reader(column, ()), Counter[date]()
    for text in one.texts.values:
        try:
            value = read(text, True)
        except Unfit:
            # An hour that the clock repeats or leaves out: its row is refused, and `check` says so.
            continue
        rows[value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value] += one.texts.counts[
            text
        ]
    return Day((one.column.name,), rows)


def _three(columns: list[Proposed]) -> list[Proposed]:
    """Return the columns of year, month and day of month, or none if there are not all three."""
    integers = {one.column.name: one for one in columns if one.column.kind == "integer"}
    found = [next((integers[name] for name in names if name in integers), None) for names in PARTS_OF_DAY]
    three = [one for one in found if one is not None]
    return three if len(three) == len(PARTS_OF_DAY) else []


def _together(three: list[Proposed]) -> str:
    """Return how three columns are named in one option."""
    return ",".join(one.column.header for one in three)


def _of_three(three: list[Proposed], sample: Sample) -> Day:
    rows = _days_of(three, sample)
    if not rows:
        _refuse_without_date(sample)
    return Day(tuple(one.column.name for one in three), rows)


def _refuse_without_date(sample: Sample) -> NoReturn:
    refuse(
        f"no column of {one_line(sample.path.name)} holds a date, and the day of each row has to stand in it: have it "
        "added; or, if a column is a date, say how it is written, as in --format COLUMN=%Y%m%d or COLUMN=unix"
    )


def _days_of(three: list[Proposed], sample: Sample) -> Counter[date]:
    rows: Counter[date] = Counter()
    groups = sample.checked.table.group_by([one.texts.header for one in three]).aggregate([([], "count_all")])
    for group in groups.to_pylist():
        try:
            rows[date(*(int(group[one.texts.header]) for one in three))] += group["count_all"]
        except (TypeError, ValueError):
            continue
    return rows


def _dated(sample: Sample, name: str, answers: Answers, day: Day) -> Dated:
    if answers.path is not None:
        return Dated(answers.path, None if "{day" not in answers.path else max(day.rows, key=lambda one: day.rows[one]))
    if not day.rows:
        refuse(f"no row of {one_line(sample.path.name)} has a day in {', '.join(day.columns)}; give a file with days")
    return delivered_later(path_of(name, sample.path.name, day.rows), day.rows)


def _has_other_days(dated: Dated, day: Day) -> bool:
    if dated.day is None or dated.is_month:
        return True
    others = day.rows.total() - day.rows[dated.day]
    return others > OTHER_DAYS * day.rows.total()


def _required(one: Proposed, names: set[str]) -> Proposed:
    if one.column.name not in names or one.texts.nothing:
        return one
    return one._replace(column=changed(one.column, is_required=True))


def _notes(
    sample: Sample, columns: list[Proposed], day: Day, dated: Dated, key: tuple[str, ...], form: Form, answers: Answers
) -> dict[str, str]:
    notes = {f"columns.{one.column.name}": "; ".join(one.notes) for one in columns}
    notes["form"] = "how the sample is written; without a word a file is UTF-8 with commas and a header on line 1"
    notes["path"] = _of_path(sample, dated, answers)
    notes["has_other_days"] = _of_days(day, dated)
    notes["key"] = f"no two of {counted(sample.rows, 'row')} are alike in it; decide: is that so on every day?"
    notes["is_trimmed"] = "some values have blanks around them"
    notes["time_zone"] = "whose clock the times without an offset are of, as --time-zone said"
    notes["day_columns"] = f"the sample has {counted(day.rows.total(), 'row')} of {_spelled(day)}"
    zone = "in the time zone that --time-zone said" if answers.time_zone else "in UTC; decide: where does a day end?"
    notes["schedule"] = f"it begins on the sample's first day; a day ends {zone}"
    return {path: note for path, note in notes.items() if note}


def _spelled(day: Day) -> str:
    days = spell(tuple(day.rows))
    return days if len(days) <= 60 else f"{counted(len(day.rows), 'day')} from {min(day.rows)} to {max(day.rows)}"


def _of_path(sample: Sample, dated: Dated, answers: Answers) -> str:
    if answers.path is not None:
        return "as --path said; decide: is_written_whole=True, if the sender renames a file when it is whole"
    if dated.day is None:
        return "the sample's name has no day: the same file is read for each; decide: may its path have {day:%Y-%m-%d}?"
    later = f", which is {counted(dated.days_later, 'day')} after the day of its rows" if dated.days_later else ""
    return (
        f"the day was found in the sample's name{later}; decide: the folder on the server, and is_written_whole=True "
        "if the sender renames a file when it is whole: then none is looked at twice, a minute apart"
    )


def _of_days(day: Day, dated: Dated) -> str:
    why = "a file without a day in its name" if dated.day is None else f"{counted(len(day.rows), 'day')} in one file"
    return f"{why}: rows of other days than the run's are dropped, and not refused"
