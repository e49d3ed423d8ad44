"""docs/spec.md has every word of the spec, as the code of now has it."""

import inspect
import re

import pytest

from daybook import spec

from . import spec_reference


def test_the_reference_is_that_of_the_code() -> None:
    assert spec_reference.DOCUMENT.read_text() == spec_reference.written(spec_reference.DOCUMENT.read_text()), (
        "run `make documents`"
    )


def test_every_value_of_the_spec_has_its_section() -> None:
    public = (getattr(spec, name) for name in spec.__all__)
    values = {each for each in public if inspect.isclass(each) and issubclass(each, spec.Value)}

    assert set(spec_reference.CLASSES) == values - {spec.Value}


@pytest.mark.parametrize("shown", spec_reference.CLASSES)
def test_every_word_is_explained(shown: type[spec.Value]) -> None:
    explained = f"{inspect.getdoc(shown)} {' '.join(spec_reference.explained(shown))}"
    own = inspect.get_annotations(shown)
    words = {field.alias or word for word, field in shown.model_fields.items() if word in own}

    assert {word for word in words if not re.search(rf"\b{word}\b", explained)} == set()
