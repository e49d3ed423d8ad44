"""A pipeline of one small file a day, whose days lie where a test wants them."""

from datetime import date

from daybook.spec import (
    File,
    Form,
    Measure,
    Pipeline,
    Plausible,
    Schedule,
    Summary,
    Target,
    day_date,
    integer,
    text,
)

PLAUSIBLE = Plausible(min_rows=0, within_pct=None)


def sales(name: str, schedule: Schedule, form: Form | None = None, **words: object) -> Pipeline:
    """Return a pipeline under a name, which its schema and its folder on the FTP server have too."""
    file = File(
        name="sales",
        connection="ftp",
        path=name + "/{day}.csv",
        columns=(day_date("day", "sold_on"), text("shop"), integer("pieces")),
        key=("shop",),
        form=form or Form(),
        is_written_whole=True,
    )
    known: dict[str, object] = {
        "name": name,
        "description": "Pieces sold by day",
        "files": (file,),
        "facts": "sales",
        "day_columns": ("sold_on",),
        "measures": (Measure(name="shops", how="count"), Measure(name="pieces", how="sum", of="pieces")),
        "summaries": (Summary(name="by_day", columns=("shops", "pieces")),),
        "plausible": PLAUSIBLE,
        "target": Target(schema=name),
        "schedule": schedule,
    }
    return Pipeline(**(known | words))


def file_of(day: date, shops: int) -> str:
    """Return the file of a day with a row for each of so many shops."""
    return "day,shop,pieces\n" + "".join(f"{day},S{number},2\n" for number in range(shops))
