"""A state by which a page can be asked for the days or tasks that are in it: the last word of its address."""

from enum import Enum
from typing import Self


class PageState(Enum):
    """The base of the states of a page; their order is that of the page."""

    @property
    def word(self) -> str:
        """Return the state as an address has it."""
        return self.name.lower()

    @classmethod
    def asked(cls, word: str | None) -> Self | None:
        """Return the state of an address; None if it names none. Raises ValueError for another word."""
        if not word:
            return None
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"state: expected one of {', '.join(state.word for state in cls)}") from None
