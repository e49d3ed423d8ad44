"""What follows from a pipeline alone is computed once for each pipeline, and of a changed copy anew."""

import gc

from daybook.spec.kept import kept
from daybook.spec.value import Value


class Word(Value):
    """A value like those of a spec."""

    text: str


def test_what_follows_from_a_value_is_computed_once_for_each() -> None:
    asked = []

    @kept
    def capitals(word: Word) -> str:
        asked.append(word.text)
        return word.text.upper()

    first, equal = Word(text="a"), Word(text="a")
    changed = first.model_copy(update={"text": "b"})
    assert [capitals(word) for word in (first, equal, changed, first, changed)] == ["A", "A", "B", "A", "B"]
    assert asked == ["a", "a", "b"]


def test_nothing_is_kept_of_a_value_that_is_gone() -> None:
    made: list[int] = []

    @kept
    def number(word: Word) -> int:
        made.append(len(made))
        return made[-1]

    # A new value may get the place in memory of one that is gone.
    for expected in range(50):
        word = Word(text="a")
        assert number(word) == number(word) == expected
        del word
        gc.collect()
