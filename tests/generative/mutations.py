"""Good files made bad, at random: for the tests that hold the fast way to the slow one, and for the long fuzz run.

`contract(random)` gives one of a few contracts, `file(random, contract)` a file of it with mistakes of all kinds in it.
"""

from random import Random

from daybook.spec import File, Form, Limits, boolean, day_date, decimal, integer, text, timestamp

# So that a file with many mistakes is still read to its end.
PATIENT = Limits(refused_rows=10**9, at_least=10**9, systemic_share=1, structural_share=1, repeated_headers=10**9)


def _contract(header: str, *columns: object, **words: object) -> tuple[str, File]:
    return header, File(name="drawn", connection="ftp", path="drawn.csv", columns=columns, limits=PATIENT, **words)


FIXED = Form(is_fixed_width=True, header_line=0)
_IDT = integer("id"), text("t"), decimal("d", digits=6, scale=2)
# The header's line and the contract. Between them: every kind, odd delimiters, one column, tokens that are values.
CONTRACTS = [
    _contract(
        "id,t,d,day,b,at",
        integer("id"),
        text("t"),
        decimal("d", digits=6, scale=2),
        day_date("day"),
        boolean("b"),
        timestamp("at", format="%Y-%m-%dT%H:%M:%S.%f"),
        null_tokens=("NA", "-9", ""),
    ),
    _contract("id,t", text("t"), integer("id"), null_tokens=("NA",)),
    _contract("t", text("t")),
    _contract("i", integer("i")),
    _contract(
        "t\td\tz",
        text("t"),
        decimal("d", digits=3, scale=0),
        timestamp("z", format="%d/%b/%Y %H:%M %z"),
        delimiter="\t",
    ),
    _contract(
        "t^u^w^",
        text("t"),
        day_date("u", format="%Y%m%d"),
        text("w"),
        delimiter="^",
        form=Form(has_trailing_delimiter=True, are_control_bytes_kept=True),
    ),
    _contract("t u", text("t"), integer("u"), delimiter=" "),
    _contract(
        "x,t,u,y",
        text("t"),
        integer("u"),
        form=Form(extra_columns="ignore", is_last_line_end_needed=False),
    ),
    _contract(
        "f,d,i,j,z",
        boolean("f", true_tokens=("X",), false_tokens=("",)),
        decimal("d", digits=6, scale=2, extra_zeros="ignore"),
        integer("i", extra_zeros="ignore"),
        day_date("j", format="%Y-%j"),
        timestamp("z", format="%d.%m.%Y %I:%M %p %z"),
        null_tokens=("NA",),
    ),
    _contract(
        "d;h;n;c",
        day_date("d", format="%-d.%-m.%y"),
        timestamp("h", format="%-d.%-m.%y %-H:%M", date_column="d", time_zone="Europe/Madrid", hour_24="next_day"),
        decimal("n", digits=6, scale=2, negatives=("trailing", "parentheses"), units=("EUR",)),
        text("c"),
        delimiter=";",
        decimal_mark=",",
        thousands_mark=".",
        formulas="read",
        null_tokens=("NA", ""),
    ),
    _contract("f", boolean("f", true_tokens=("X",), false_tokens=("",))),
    _contract("t,u,i", text("t", formulas="read"), text("u"), integer("i", formulas="read"), null_tokens=("NA",)),
    *(
        _contract(f"id{delimiter}t{delimiter}d", *_IDT, delimiter=delimiter, form=Form(**words), formulas="read")
        for delimiter, words in (
            ("||", {}),
            (",", {"may_end_early": True, "has_blanks_after_delimiter": True, "comment": "="}),
            (",", {"escape": "\\"}),
            (",", {"quote": "'"}),
        )
    ),
    _contract("id,t,d", integer("id"), text("t"), decimal("d", digits=6, scale=2), form=Form(header_line=0)),
    _contract("id,t,d", integer("id"), text("t"), decimal("d", digits=6, scale=2), form=Form(comment="#")),
    _contract("t,u", text("t"), text("u"), form=Form(comment="#", header_line=0)),
    *(
        _contract(f"id{delimiter}t{delimiter}d", *_IDT, delimiter=delimiter, form=Form(**words))
        for delimiter, words in (
            (",", {"quote": "'"}),
            ("\t", {"quote": None}),
            (",", {"escape": "\\"}),
            ("\t", {"quote": None, "escape": "\\"}),
            ("||", {}),
            ("~|~", {"comment": "#", "may_end_early": True}),
            (",", {"may_end_early": True}),
            (",", {"has_blanks_after_delimiter": True}),
            (";", {"has_blanks_after_delimiter": True, "may_end_early": True, "escape": "\\", "comment": "#"}),
        )
    ),
    _contract(
        "id,t,d,day,f",
        *_IDT,
        day_date("day"),
        boolean("f", true_tokens=("X",), false_tokens=("",)),
        is_trimmed=True,
        null_tokens=("NA",),
    ),
    _contract("id,name", integer("id", aliases=("nr", "no")), text("t", aliases=("name",), is_trimmed=True)),
    *(
        _contract("id,t,d,day,u", *columns, form=Form(is_fixed_width=True, **words), is_trimmed=is_trimmed)
        for words, is_trimmed in (
            ({"header_line": 0}, None),
            ({"header_line": 1, "comment": "#", "may_end_early": True, "is_last_line_end_needed": False}, True),
            ({"header_line": 1, "may_end_early": True, "extra_columns": "ignore"}, None),
        )
        for columns in (
            [
                integer("id", width=4),
                text("t", width=6),
                decimal("d", digits=6, scale=2, width=8),
                day_date("day", width=10),
                text("u", width=3, null_tokens=("NA",)),
            ],
        )
    ),
    _contract("u,t", text("t", starts_at=3, width=5), text("u", starts_at=1, width=2), form=FIXED),
    _contract("t,,t", text("t", position=3), integer("u", position=2), form=Form(extra_columns="ignore")),
]
GOOD = {
    "text": ["a", '"=""7"""', '="07"', "é", "NA", "", '"q"', '""', '"a\nb"', '"\r\n""\n"', "b c", "'"],
    "integer": ["1", "-5", "007", "", "NA", "12.0"],
    "decimal": ["1.234,5 EUR", "2,50-", "1.5", "-2", "0.25", "", "123", "2.000"],
    "date": ["5.1.26", "29.3.26", "2026-01-05", "20260105", "", "2026-005", "2024-366"],
    "boolean": ["true", "f", "", "X"],
    "timestamp": [
        "2:30",
        "24:00",
        "2026-01-05T10:00:00.000001",
        "05/Jan/2026 10:00 +0100",
        "",
        "05.01.2026 12:00 AM +02",
    ],
}
NUMBERS = [
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "-0",
    ".5",
    "5.",
    "-.5",
    "1.2.3",
    "1e3",
    "1E-2",
    "0x1F",
    "1_0",
    "--1",
    "1-",
    "-",
]
DECIMALS = ["1.230", "1.234", "1234.56", "12345.67", "+1.5", "-1.5", "nan", "inf", "NA", "-9", "NULL"]
LARGE = [
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "9" * 30,
    "0" * 30 + "1",
    "1" + "0" * 130,
    "\u0661",
]
DAYS = [
    "2026-02-30",
    "2026-1-5",
    "2026/01/05",
    "2026-01-0:",
    "0026-01-05",
    "0999-12-31",
    "9999-12-31",
    "20260230",
    "2023-366",
]
TIMES = [
    "2026-01-05T24:00:00.000000",
    "2026-01-05t10:00:00.000000",
    "2026-01-05T10:00:00.1",
    "2026-01-05T10:00:0:.000001",
]
ZONES = ["05/Jan/2026 10:00 Z", "05/JAN/2026 10:00 -01:00", "05/Jan/2026  10:00 Z", "31/Dec/9999 23:00 -0200"]
BOOLEANS = ["true", "True", "f"]
QUOTED = [
    '""',
    '"a"',
    '"1"',
    '"2026-01-05"',
    '"a,b"',
    '"a""b"',
    'x"y',
    '"x"y',
    '"',
    '"""',
    '"NA"',
    '"-9"',
    '" 1"',
    '" "',
]
QUOTED_ENDS = ['"a\nb"', '"a\r\nb"', '"a\rb"', '"t\n']
SIGNS = [
    "'a,b'",
    "'a''b'",
    "x'y",
    "'",
    '"a\\"b"',
    "a\\,b",
    "\\\\",
    "\\",
    "\\n",
    '\\"',
    '"a\\\\"',
    '"a\\\\""b"',
    ' "a, b"',
    "  x",
    '"x" ',
    "a||b",
    '"a||b"',
    "|",
    "a~|~b",
    '=""',
    '="7"',
    '="a;b"',
    '="a,b"',
    '="a""b"',
    '="a\nb"',
    '="a\rb"',
    '="a',
    '="a"b',
    'x="a"',
    '"=""a""""b"""',
    ' ="1"',
    "=",
    '"~|~"',
    "\x7f",
    '"a\n# b"',
]
BLANKS = [" ", "  ", " 5", "5 ", "\t5", " NA", " -9 ", "\u00a05", "\u2003", "\x85", "\u2028", "a\rb", "\x1b", "a\0b"]
NAMES = ["id", "t", "i", "x", '"t"', "\ufeff", "\ufeffid", "\ufeff1", "\ufffd"]
ODD = [
    "",
    *SIGNS,
    *NUMBERS,
    *DECIMALS,
    *LARGE,
    *DAYS,
    *TIMES,
    *ZONES,
    *BOOLEANS,
    *QUOTED,
    *QUOTED_ENDS,
    *BLANKS,
    *NAMES,
]
# Comments to the contracts that say so, odd lines to the others.
COMMENTS = ["# 1", '# a "quote', "#", '#"a,b",c', "#1,2"]
BYTES = [
    b"\\",
    b"'",
    b"|",
    b"\x7f",
    b"#",
    b"\0",
    b"\xff",
    b"\xe9",
    b"\xed\xa0\x80",
    b"\r",
    b"\n",
    b'"',
    b",",
    b"\x1b",
    b"\xef\xbb\xbf",
    b"\t",
    b" ",
    b"^",
]


def head(header: str, source: File) -> bytes:
    """Return the header's line as a file of the contract begins with it."""
    return f"{header}\n".encode() if source.form.header_line else b""


def contract(random: Random) -> tuple[str, File]:
    """Return a header's line and its contract."""
    return random.choice(CONTRACTS)


def body(random: Random, header: str, source: File) -> bytes:
    """Return the lines behind a header: good ones, odd ones, and some bytes put in, taken away or changed."""
    lines = [_any_line(random, header, source) for _ in range(random.choice([0, 1, 2, 5, 30]))]
    line_end = random.choice(["\n", "\n", "\r\n"])
    content = line_end.join(lines) + (line_end if lines and random.random() < 0.9 else "")
    return mutated(random, content.encode(), random.choice([0, 0, 0, 1, 3]))


def _any_line(random: Random, header: str, source: File) -> str:
    if random.random() < 0.1:
        return random.choice(["", "", " ", header, "\t", *COMMENTS])
    fields = [field if random.random() > 0.08 else random.choice(ODD) for field in line(random, header, source)]
    chance = random.random()
    return joined(fields[:-1] if chance < 0.04 else [*fields, ""] if chance < 0.08 else fields, source)


def joined(fields: list[str], source: File) -> str:
    """Return fields as a line of the contract."""
    if not source.form.is_fixed_width:
        return source.delimiter.join(fields)
    places = [(span.end - span.start, span.column.kind) for span in source.spans]
    found = zip(fields, places, strict=False)
    return "".join(field.ljust(size) if kind == "text" else field.rjust(size) for field, (size, kind) in found)


def line(random: Random, header: str, source: File) -> list[str]:
    """Return the fields of a good line, or one that is good in another contract."""
    kinds = {column.header: column.kind for column in source.columns}
    names = header.split(source.delimiter)
    return [random.choice(GOOD[kinds.get(name, "text")]) if name else "" for name in names]


def mutated(random: Random, content: bytes, times: int) -> bytes:
    """Return bytes with so many changes: a piece put in, put over another, or taken away."""
    for _ in range(times):
        place = random.randrange(len(content) + 1)
        piece = random.choice([*BYTES, b"", content[place : place + random.randrange(20)]])
        content = content[:place] + piece + content[place + random.choice([0, 1, len(piece)]) :]
    return content
