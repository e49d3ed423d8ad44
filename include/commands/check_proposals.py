"""The words under which more rows of a file load, as text for its spec: each was tried by our own loader.

Called by check.py for a file with refused rows. The words of the file itself are tried in all combinations on its first
rows; then the best of them on the whole file, and with it, round by round, the words for the reasons that are left. So
a large file is read a few times more, however many words there are. check_words.py and check_row_words.py have them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from commands.check_file import Checked, check
from commands.check_file_words import FILE_WORDS, WORDS_OF_OTHERS
from commands.check_form import names_in, of_cells, of_columns
from commands.check_header_words import placed
from commands.check_in_words import in_words
from commands.check_row_words import ROW_WORDS, taken_by
from commands.check_words import Seen, Word, with_form
from daybook.errors import BadData, BadSpec
from daybook.loader.fields import Damage, Syntax, split
from daybook.loader.json_rows import row_of
from daybook.loader.limits import STRUCTURAL
from daybook.loader.load import load
from daybook.loader.other_formats import is_other
from daybook.loader.values import Unfit
from daybook.spec import Column, Source

# How many rows are tried by each combination, and how many combinations.
FIRST_ROWS, FIRST_BYTES, MOST_TRIED = 1000, 2**16, 200
ROUNDS = 3
MOST_REASONS = 50
# How many ways to read a column are told if its values do not say which is meant.
MOST_WAYS = 4


class Proposal(NamedTuple):
    """Words for the spec, and how many of the file's rows load with them."""

    words: str
    accepted: int
    rows: int


class _Tried(NamedTuple):
    """A source, and what the whole file is by it; ways: by header, the columns that its values leave open."""

    source: Source
    checked: Checked
    ways: dict[str, list[Column]] = {}


class _First(NamedTuple):
    """How many of the first rows are kept, are refused for a value, and are refused for their form."""

    kept: int = 0
    typed: int = 0
    damaged: int = 0

    @property
    def score(self) -> tuple[int, int, int]:
        """Return numbers to compare by: the form first, then the values, and then what is no row of either."""
        return self.kept + self.typed, self.kept, -self.damaged


class _Search:
    """The search for one file. has_own_columns: no contract describes it, so its columns are those of its header.

    columns_of: makes a contract of the names of a header.
    """

    def __init__(
        self, path: Path, source: Source, *, has_own_columns: bool, columns_of: Callable[..., Source] = of_columns
    ) -> None:
        self.path, self.has_own_columns, self.columns_of = path, has_own_columns, columns_of
        self.bare = source.model_copy(update={"key": (), "twins": "keep"})

    def contract(self, source: Source) -> Source:
        """Return the contract by the words of a source. Raises BadSpec if the header's names are none."""
        if not self.has_own_columns or source.form.is_fixed_width:
            return source
        if is_other(source):
            return source if is_other(self.bare) else of_cells(self.path, source)
        names = names_in(self.path, source)
        contract = self.columns_of(names, source.delimiter, source.form, source.null_tokens)
        if any(column.position for column in source.columns):
            contract = contract.model_copy(update={"columns": placed(names)})
        return contract.model_copy(update={"formulas": source.formulas})

    def best(self, found: Checked) -> _Tried:
        """Return the words by which most rows load. found: what the file is by its words now."""
        best = tried = self._with_file_words(found)
        for _ in range(ROUNDS):
            # A row may have a second reason below the first, so a round that takes no row may still help the next one.
            changed = self._with_row_words(tried)
            if changed is None:
                break
            tried = changed
            best = tried if _is_better(tried.checked, best.checked) else best
        return best

    def whole(self, source: Source) -> Checked:
        """Load the whole file."""
        return check(self.path, self.contract(source), None)

    def _with_file_words(self, found: Checked) -> _Tried:
        now = self._first(self.bare)
        is_in_order = bool(now.kept + now.typed) and not now.damaged
        if is_in_order and not found.message:
            return _Tried(self.bare, found)
        sources = self._combinations()[1:]
        scores = [self._first(source).score for source in sources]
        best = max(range(len(sources)), key=scores.__getitem__, default=None)
        if best is None or scores[best] < now.score or (scores[best] == now.score and not found.message):
            return _Tried(self.bare, found)
        tried = _Tried(sources[best], self.whole(sources[best]))
        # The first rows do not show what is said at the end of a file, so equal ones may differ as a whole.
        is_worth_it = scores[best] > now.score or _is_better(tried.checked, found)
        return tried if is_worth_it else _Tried(self.bare, found)

    def _combinations(self) -> list[Source]:
        """Return the source by every combination of words, those of fewest words first."""
        found: list[tuple[int, Source]] = [(0, self.bare)]
        for word in FILE_WORDS:
            more = [(n + 1, changed) for n, source in found for changed in self._changed(word, source)]
            found += more[: MOST_TRIED - len(found)]
        return [source for _, source in sorted(found, key=lambda one: one[0])]

    def _changed(self, word: Word, source: Source) -> list[Source]:
        """Return a source with a word changed that says something about its format."""
        return _changes(word, self._seen(source)) if not is_other(source) or word in WORDS_OF_OTHERS else []

    def _seen(self, source: Source) -> Seen:
        return Seen(self.path, source, not self.has_own_columns)

    def _first(self, source: Source) -> _First:
        """Load the first rows. A table of one column proves nothing, if its columns are the file's own."""
        first = Counter[str]()
        try:
            # Whether the last line has its end is not seen in the first rows.
            contract = self.contract(source)
            contract = contract if is_other(source) else with_form(contract, is_last_line_end_needed=False)
            if self.has_own_columns and len(contract.columns) == 1 and source is not self.bare:
                return _First()
            with self.path.open("rb") as stream:
                for batch in load(stream, contract, name=self.path.name, block_bytes=FIRST_BYTES, threads=1):
                    typed = sum(map(_is_typed, *(batch.refused[name].to_pylist() for name in ("column", "reason"))))
                    first.update(kept=batch.kept.num_rows, typed=typed, damaged=batch.refused.num_rows - typed)
                    if first.total() >= FIRST_ROWS:
                        break
        except (BadData, BadSpec, UnicodeError):
            first["damaged"] += 1
        return _First(first["kept"], first["typed"], first["damaged"])

    def _with_row_words(self, tried: _Tried) -> _Tried | None:
        """Change the words that the reasons call for, all at once; None if there are none."""
        source, ways = tried.source, dict(tried.ways)
        values = self._values(tried) if tried.checked.raw else {}
        for (reason, header), refused in values.items():
            column = next((one for one in source.columns if one.header == header), None)
            seen = self._seen(source)._replace(column=column, values=tuple(refused))
            found = _most(ROW_WORDS.get(reason, ()), seen)
            if not found or (column is None and header is not None):
                continue
            source = found[0]
            if column and len(found) > 1:
                ways[column.header] = [_column_of(one, column.header) for one in found[:MOST_WAYS]]
        if source is tried.source:
            return None
        return self._settled(source, ways)

    def _settled(self, source: Source, ways: dict[str, list[Column]]) -> _Tried:
        """Let the whole file say which way each column is read; the ways that it leaves open remain."""
        best = self.whole(source)
        for header, columns in list(ways.items()):
            tried = [(column, self.whole(_with(source, column))) for column in columns]
            most = max(checked.accepted for _, checked in tried)
            ways[header] = [column for column, checked in tried if checked.accepted == most]
            source = _with(source, ways[header][0])
            best = next(checked for _, checked in tried if checked.accepted == most)
        return _Tried(source, best, ways)

    def _values(self, tried: _Tried) -> dict[tuple[str, str | None], list[str]]:
        """Return the values of the refused rows by reason and column, those of most rows first."""
        places = {name: place for place, name in enumerate(names_in(self.path, tried.source))}
        values: dict[tuple[str, str | None], list[str]] = {}
        for row, raw in zip(tried.checked.refused, tried.checked.raw, strict=False):
            place = places.get(row.column) if row.column is not None else None
            value = _cell(raw, row.column) if is_other(tried.source) else _value(raw, place, tried.source.delimiter)
            values.setdefault((row.reason, row.column), []).append(value)
        counts = Counter({of: len(found) for of, found in values.items()})
        return {of: values[of] for of, _ in counts.most_common(MOST_REASONS)}


def proposals(path: Path, source: Source, found: Checked, *, has_own_columns: bool) -> list[Proposal]:
    """Return the words under which more rows of the file load than are accepted now; none, if there are none.

    found: what the file is by its words now. has_own_columns: no contract describes the file, so its columns are those
    of its header.
    """
    search = _Search(path, source, has_own_columns=has_own_columns)
    best = search.best(found)
    if best.source is search.bare or best.checked.message or not _is_better(best.checked, found):
        return []
    rows = best.checked.accepted + len(best.checked.refused)
    return [Proposal(in_words(search.bare, best.source, best.ways), best.checked.accepted, rows)]


def best_words(path: Path, source: Source, found: Checked, columns_of: Callable[..., Source]) -> tuple[Source, Checked]:
    """Return the contract under which most rows of a file load that no contract describes, and what the file is by it.

    The words are those that `proposals` would name. columns_of: makes a contract of the names of a header.
    """
    search = _Search(path, source, has_own_columns=True, columns_of=columns_of)
    best = search.best(found)
    if best.source is search.bare or not _is_better(best.checked, found):
        return source, found
    return search.contract(best.source), best.checked


def _is_better(one: Checked, other: Checked) -> bool:
    """Return whether more rows load, or as many and fewer are refused: none load, if the file is refused as a whole."""
    if bool(one.message) != bool(other.message):
        return not one.message and one.accepted > 0
    return _score(one) > _score(other)


def _score(checked: Checked) -> tuple[int, int]:
    return checked.accepted, -len(checked.refused)


def _changes(word: Word, seen: Seen) -> list[Source]:
    try:
        return list(word(seen))
    except (BadData, BadSpec, UnicodeError):
        return []


def _most(words: Iterable[Word], seen: Seen) -> list[Source]:
    """Return the sources by one word that take most of the refused values; several, if the values do not say which."""
    best: list[tuple[list[Any], Source]] = []
    for word in words:
        read = [(taken_by(source, seen), source) for source in _changes(word, seen)]
        most = max((len(values) for values, _ in read), default=0)
        if most > (len(best[0][0]) if best else 0):
            best = [one for one in read if len(one[0]) == most]
    # Of two that read all values alike, the first is enough.
    different: dict[str, Source] = {}
    for values, source in best:
        different.setdefault(str(values), source)
    return list(different.values())


def _is_typed(column: str | None, reason: str) -> bool:
    return column is not None and reason not in STRUCTURAL


def _value(raw: bytes, place: int | None, delimiter: str) -> str:
    try:
        cut = split(raw, 0, Syntax(delimiter.encode()), is_last=True) if place is not None else None
    except Damage:
        cut = None
    is_there = cut is not None and place is not None and place < len(cut.values)
    return cut.values[place].decode(errors="replace").strip(" \t") if cut and place is not None and is_there else ""


def _cell(raw: bytes, header: str | None) -> str:
    """Return a text or a number of a row that is kept as JSON."""
    try:
        value = row_of(raw).get(header or "")
    except Unfit:
        value = None
    return value if isinstance(value, str) else ""


def _column_of(source: Source, header: str) -> Column:
    return next(column for column in source.columns if column.header == header)


def _with(source: Source, column: Column) -> Source:
    columns = tuple(column if one.header == column.header else one for one in source.columns)
    return source.model_copy(update={"columns": columns})
