"""The part of a spec about rules of whole rows: what has to hold between the columns of a fact."""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from daybook.spec.column import Column
from daybook.spec.derived import Expressed
from daybook.spec.expression import Expression
from daybook.spec.kinds import WrongKind, column_of
from daybook.spec.value import Name, twice, unknown

# The other reasons for which a row is refused or dropped and that are not about one column.
TAKEN = ("empty_row", "twin", "other_day", "key_conflict", "division_by_zero", "transform")


class Rule(Expressed):
    """What has to hold for a row of the facts; one for which it is false is refused, and its reason is the rule's name.

    As in SQL, a row is kept if the rule is empty for it, because a column that it needs is. It is checked in `clean`,
    after the rules of the columns, the key and the derived columns, and before the transform; one that needs a column
    of a lookup or of the transform is checked in `index`. A row that divides by zero does not keep to a rule that says
    `by_zero="refuse"` of this division.
    """

    for_readers: ClassVar[frozenset[str]] = frozenset({"description"})

    name: Name
    """The reason of the rows that it refuses."""
    holds: Expression
    """What has to hold, such as `col("discount") <= col("price")`."""
    description: str = ""
    """One line for readers: what it means."""


def rule_problems(rules: Iterable[Rule], columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield what is wrong with rules, one line a problem. columns: those of the facts after `index`, by name."""
    rules = list(rules)
    yield from twice("rules", [rule.name for rule in rules])
    for rule in rules:
        path = f"rules[{rule.name!r}]"
        if rule.name in TAKEN or rule.name.startswith("unknown_in_"):
            yield f"{path}: the name is a reason of Daybook's own; give it another"
        missing = [line for name in rule.holds.names() for line in unknown(path, name, columns, "column of the facts")]
        yield from missing or _wrong_kind(path, rule, columns)


def _wrong_kind(path: str, rule: Rule, columns: Mapping[str, Column]) -> Iterator[str]:
    try:
        kind = column_of(rule.name, rule.holds, columns).kind
    except WrongKind as error:
        yield f"{path}: {error}"
        return
    if kind != "boolean":
        yield f"{path}: {rule.holds!r} is {kind}; it takes what is true or false, such as a comparison"
