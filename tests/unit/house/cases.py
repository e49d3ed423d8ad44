"""The catalogue's cases and their tests: `make documents` writes them into the documents.

A test says which case it holds in its name: test_F10_226_though_only_part_was_sent. The letters: C files, P PostgreSQL,
F FTP, K kills, D disks, N the net, R runs at once, T days and clocks, M memory, X many files, S secrets, O a soak; G is
the security checklist, which has a document of its own.
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
# The letters whose cases each document tells.
DOCUMENTS = {
    REPOSITORY / "docs" / "reliability.md": "CPFKDNRTMXSO",
    REPOSITORY / "docs" / "security.md": "G",
}
BEGIN, END = "<!-- cases -->\n", "<!-- end of cases -->\n"
LAST = {"C": 73, "P": 18, "F": 24, "K": 9, "D": 3, "N": 6, "R": 5, "T": 2, "M": 2, "X": 3, "S": 2, "O": 1, "G": 25}
NAMED = re.compile(r"^ *def test_((?:[CPFKDNRTMXSOG]\d+_)+)(\w+)", re.MULTILINE | re.IGNORECASE)


def every_case(letters: str = "".join(LAST)) -> list[str]:
    """Return all cases of some letters, in the catalogue's order."""
    return [f"{letter}{number}" for letter, last in LAST.items() if letter in letters for number in range(1, last + 1)]


def tested() -> dict[str, list[str]]:
    """Give, for each case that a test names, what the tests say of it, as sentences."""
    found: dict[str, list[str]] = {}
    for file in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        for cases, words in NAMED.findall(file.read_text()):
            for case in cases.upper().rstrip("_").split("_"):
                found.setdefault(case, []).append(words.replace("_", " "))
    return found


def left_out() -> set[str]:
    """Return the cases that a document gives a reason for leaving out."""
    reasons = re.compile(r"^\| ([CPFKDNRTMXSOG]\d+) \| left out", re.MULTILINE)
    return {case for document in DOCUMENTS for case in reasons.findall(document.read_text())}


def table(letters: str) -> str:
    """Return the table of tested cases of some letters, in the catalogue's order."""
    said = tested()
    rows = [f"| {case} | {'; '.join(said[case])} |" for case in every_case(letters) if case in said]
    return "\n".join(["| case | what holds |", "| --- | --- |", *rows, ""])


def written(document: Path) -> str:
    """Return the text of a document with the table of now in its place."""
    before, rest = document.read_text().split(BEGIN)
    return f"{before}{BEGIN}{table(DOCUMENTS[document])}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(written(document))
    print("without a test or a reason:", *sorted(set(every_case()) - set(tested()) - left_out()), file=sys.stderr)
