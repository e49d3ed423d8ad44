"""The first groups of a summary by a number: which rank each has, and which are published."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from daybook.rules.groups import groups_of
from daybook.rules.places import places
from daybook.spec import Top

Numbers = NDArray[np.int64]


def first_groups(groups: pa.Table, top: Top) -> pa.Table:
    """Return the groups that are published, in their order, with their ranks if the spec names a column for these.

    groups: group columns and measures, ordered by the former, which is also the order of groups with equal numbers.
    """
    rank = _ranks(groups_of(groups, top.per).numbers.to_numpy(), _descending(groups[top.of]), has_ties=top.has_ties)
    ranked = groups.append_column(top.rank, pa.array(rank)) if top.rank else groups
    return ranked.filter(pa.array(rank <= top.rows))


def _ranks(within: Numbers, number: Numbers, *, has_ties: bool) -> Numbers:
    """Return the rank of each number among those that are equal in `within`, from 1 on.

    With ties, equal numbers have one rank and the ranks after it are left out, as by SQL's rank(); else each has its
    own, as by row_number() (PostgreSQL's manual, 9.22).
    """
    order, row = np.lexsort((number, within)), np.arange(len(number))
    is_first = np.diff(within[order], prepend=-1) != 0
    is_new = is_first | (np.diff(number[order], prepend=0) != 0) if has_ties else np.ones(len(number), bool)
    ranks = np.empty(len(number), np.int64)
    ranks[order] = np.maximum.accumulate(row * is_new) - np.maximum.accumulate(row * is_first) + 1
    return ranks


def _descending(number: pa.ChunkedArray) -> Numbers:
    """Return integers that are in order if the numbers are from the largest to the smallest, and nothing at the end."""
    place, _ = places(number, with_nulls=False)
    found: Numbers = pc.fill_null(pc.negate(place), 1).to_numpy()
    return found
