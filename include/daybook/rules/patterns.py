"""A column's pattern in words that mean the same to every engine: \\d, \\w and \\s stand for ASCII.

Polars' expressions (Rust's regex) take them for all of Unicode, those of Arrow and DuckDB (RE2) for ASCII.
"""

import re

ASCII = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
# A backslash with its letter, or any other character.
PARTS = re.compile(r"\\.|.", re.DOTALL)


def whole(pattern: str) -> str:
    """Return the pattern that a whole text must match."""
    return f"^(?:{_ascii(pattern)})$"


def _ascii(pattern: str) -> str:
    written, is_in_set = "", False
    for part in PARTS.findall(pattern):
        opens, closes = part == "[" and not is_in_set, part == "]" and is_in_set
        # A bracket that closes may be the first of the set, and then stands for itself.
        is_in_set = (is_in_set or opens) and not (closes and not re.search(r"\[\^?$", written))
        written += _part(part, is_in_set)
    return written


def _part(part: str, is_in_set: bool) -> str:
    letter = part[1:] if part.startswith("\\") else ""
    if letter in ASCII:
        return ASCII[letter] if is_in_set else f"[{ASCII[letter]}]"
    if letter.lower() in ASCII and not is_in_set:
        return f"[^{ASCII[letter.lower()]}]"
    return part
