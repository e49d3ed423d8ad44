"""The modules of include/pipelines, loaded one by one: what is wrong with one is said, and hurts no other."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.errors import BadSpec
from daybook.pipelines import pipelines_in
from deployment.home import REPOSITORY

GOOD = (REPOSITORY / "include" / "pipelines" / "flights.py").read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of pipelines of the test's own."""
    package = tmp_path / "of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for module in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[module]


def test_a_module_is_a_pipeline_under_its_own_name(folder: Path) -> None:
    (folder / "whatever.py").write_text(
        GOOD.replace('name="flights",\n    description', 'name="departures",\n    description')
    )
    (folder / "_shared.py").write_text("raise RuntimeError")
    assert list(pipelines_in(folder.name).good) == ["departures"]
    assert pipelines_in(folder.name).broken == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "from daybook.spec import Column\nPIPELINE = Column(header='a', name='a', kind='txt')\n",
            "Column 'a', kind: 'txt' is refused: it takes 'text',",
        ),
        ("\nPIPELINE = (\n", "line 2: SyntaxError: '(' was never closed"),
        ("import os\nos.nothing_of_that_name()\n", "line 2: AttributeError: module 'os' has no attribute"),
        ("import nothing_of_that_name\n", "line 1: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        (
            "PIPELINES = 1\n",
            "PIPELINE is missing; expected a Pipeline; name it so, or begin the module's name with `_`",
        ),
        ("PIPELINE = 1\n", "PIPELINE is a int; expected a Pipeline"),
    ],
)
def test_a_broken_module_is_named_with_the_reason_and_the_others_load(folder: Path, text: str, reason: str) -> None:
    (folder / "flights.py").write_text(GOOD)
    (folder / "weather.py").write_text(text)
    found = pipelines_in(folder.name)
    assert list(found.good) == ["flights"]
    assert list(found.broken) == ["include/of_a_test/weather.py"]
    assert found.broken["include/of_a_test/weather.py"].startswith(reason)
    with pytest.raises(BadSpec, match=r"include/of_a_test/weather.py: "):
        found.check()


def test_a_name_that_is_not_there_is_told_with_the_nearest_and_with_what_is_broken(folder: Path) -> None:
    (folder / "flights.py").write_text(GOOD)
    (folder / "weather.py").write_text("PIPELINE = (")
    with pytest.raises(
        BadSpec, match=r"did you mean 'flights'.*there are flights; include/of_a_test/weather.py is broken"
    ):
        pipelines_in(folder.name).named("fligths")


def test_without_pipelines_there_is_none_and_nothing_is_broken(folder: Path) -> None:
    assert pipelines_in(folder.name) == ({}, {})
    with pytest.raises(BadSpec, match="there is none"):
        pipelines_in(folder.name).named("flights")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (GOOD, "its name 'flights' is also that of include/of_a_test/flights.py; give each a name of its own"),
        (
            GOOD.replace('name="flights",\n    description', 'name="arrivals",\n    description'),
            "its target schema 'flights' is also that of include/of_a_test/flights.py; give each one of its own",
        ),
    ],
)
def test_two_modules_with_one_name_or_one_target_are_both_refused_and_the_third_loads(
    folder: Path, written: str, reason: str
) -> None:
    own = GOOD.replace('name="flights",\n    description', 'name="own",\n    description').replace(
        'schema="flights"', 'schema="own"'
    )
    for name, text in (("flights", GOOD), ("second", written), ("third", own)):
        (folder / f"{name}.py").write_text(text)
    found = pipelines_in(folder.name)
    assert list(found.good) == ["own"]
    assert sorted(found.broken) == ["include/of_a_test/flights.py", "include/of_a_test/second.py"]
    assert found.broken["include/of_a_test/second.py"] == reason


def test_a_pipeline_that_is_still_there_was_not_renamed(folder: Path) -> None:
    new = GOOD.replace('name="flights",\n    description', 'name="own", renamed_from="flights",\n    description')
    (folder / "flights.py").write_text(GOOD)
    (folder / "own.py").write_text(new.replace('schema="flights"', 'schema="own"'))
    found = pipelines_in(folder.name)
    assert list(found.good) == ["flights"]
    assert found.broken["include/of_a_test/own.py"].startswith(
        "renamed_from='flights' is also a name in include/of_a_test/flights.py; a pipeline that is renamed is not there"
    )
