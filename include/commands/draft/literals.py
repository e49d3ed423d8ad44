"""Calls and values as Python that a person formats: on one line if that is short enough, else a line for each word.

The lines are those that ruff's formatter leaves as they are. Every text becomes a literal or a comment here, so that no
header or name can become code.
"""

import re
import shlex
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from daybook.text import escape, one_line

WIDTH = 120
INDENT = 4
# Letters that ruff takes for no other: Latin ones with accents, but for those that look like an "i" or an "s".
LATIN = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0130\u0132-\u017e]")
# A word without Latin letters is clear by one of these: it has no twin among the Latin letters.
CLEAR = re.compile("[бвгджзийлнптфцчшщъыьэюяБГДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ\u3041-\ufaff]")


class Node(NamedTuple):
    """A piece of Python: a text; or, with brackets, the pieces between them. word: of a call, before "="."""

    text: str
    items: tuple["Node", ...] | None = None
    word: str = ""
    comment: str = ""

    @property
    def prefix(self) -> str:
        """Return what stands before its text."""
        return f"{self.word}=" if self.word else ""


def call(name: str, items: list[Node]) -> Node:
    """Return a call with its arguments."""
    return Node(name, tuple(items))


def values(items: list[Node]) -> Node:
    """Return a tuple."""
    return Node("", tuple(items))


def text_literal(text: str) -> str:
    """Return a text as Python writes it: in double quotes, unless it has more of them than of single ones."""
    body = "".join(_sign(sign, kept) for sign, kept in zip(text, _kept(text), strict=True))
    if text.count('"') > text.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def _sign(sign: str, is_kept: bool) -> str:
    if sign == "\\":
        return "\\\\"
    return sign if is_kept and sign.isprintable() else escape(sign)


def _kept(text: str) -> list[bool]:
    """Return for each sign whether it stays as it is: no one can take it for another one."""
    kept: list[bool] = []
    for word in re.findall(r"\w+|\W", text):
        is_clear = not re.search("[A-Za-z]", word) and bool(CLEAR.search(word))
        kept += [sign.isascii() or bool(LATIN.fullmatch(sign)) or is_clear for sign in word]
    return kept


def comment_text(text: str) -> str:
    """Return a text for a comment: on one line, without a sign that could be taken for another."""
    text = unicodedata.normalize("NFC", one_line(text))
    return "".join(sign if kept else escape(sign) for sign, kept in zip(text, _kept(text), strict=True))


def statement(name: str, node: Node) -> str:
    """Return an assignment."""
    return "".join(f"{_checked(line)}\n" for line in _lines(node, 0, f"{name} = ", ""))


def _checked(line: str) -> str:
    """Return a line, with a word for the linter if it is too long and cannot be cut."""
    last = line.split(" ")[-1]
    is_address = "://" in last and cell_len(line) - cell_len(last) <= WIDTH
    if cell_len(line) <= WIDTH or " " not in line.strip() or is_address:
        return line
    return f"{line}  # noqa: E501"


def _lines(node: Node, indent: int, prefix: str, suffix: str) -> Iterator[str]:
    flat = f"{' ' * indent}{prefix}{_flat(node)}{suffix}"
    if node.items is None or not node.items or (not _has_comment(node.items) and cell_len(flat) <= WIDTH):
        yield flat
        return
    yield f"{' ' * indent}{prefix}{node.text}("
    for item in node.items:
        yield from _item(item, indent + INDENT)
    yield f"{' ' * indent}){suffix}"


def _item(item: Node, indent: int) -> Iterator[str]:
    lines = list(_lines(item, indent, item.prefix, ","))
    comment = comment_text(item.comment)
    if comment and len(lines) == 1 and cell_len(f"{lines[0]}  # {comment}") <= WIDTH:
        yield f"{lines[0]}  # {comment}"
        return
    if comment:
        yield from textwrap.wrap(
            comment,
            WIDTH,
            initial_indent=f"{' ' * indent}# ",
            subsequent_indent=f"{' ' * indent}# ",
            break_on_hyphens=False,
        )
    yield from lines


def _flat(node: Node) -> str:
    if node.items is None:
        return node.text
    inner = ", ".join(f"{item.prefix}{_flat(item)}" for item in node.items)
    is_single = not node.text and len(node.items) == 1
    return f"{node.text}({inner}{',' if is_single else ''})"


def _has_comment(items: tuple[Node, ...]) -> bool:
    return any(item.comment or _has_comment(item.items or ()) for item in items)


def quoted(text: str) -> str:
    """Return a text for a shell in a message: in quotes if it needs them."""
    return shlex.quote(one_line(text))
