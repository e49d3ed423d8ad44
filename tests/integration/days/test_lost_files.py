"""Files of a run that are changed or gone: `trace`, `refused` and `replay` say so, and never that lines are equal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Days
from .test_refused_and_replay import break_lines, fill, replay, written

DAY = "2013-01-01"


def changed(file: Path) -> str:
    file.write_bytes(file.read_bytes().replace(b"A", b"B"))
    return "changed"


def cut(file: Path) -> str:
    file.write_bytes(file.read_bytes()[:-1])
    return "changed"


def gone(file: Path) -> str:
    file.unlink()
    return "gone"


@pytest.mark.parametrize("fault", [changed, cut, gone])
@pytest.mark.parametrize("raw", ["extract_files/flights.csv", "extract_tables/airlines.csv"])
def test_lines_of_a_file_that_is_changed_or_gone_are_never_called_equal(
    days: Days, raw: str, fault: Callable[[Path], str]
) -> None:
    file = Path(days.run(DAY).folder.path) / raw
    how = fault(file)
    code, printed = days.command("trace", DAY, "by_day", "flights")
    assert code == 1
    assert "equal" not in printed
    assert f"NOT checked: {file} is {how} since the run read it" in printed
    traced = days.json("trace", DAY, "by_day", "flights")
    assert (traced["is_equal"], traced["unchecked"]) == (False, [f"{file} is {how} since the run read it"])


@pytest.mark.parametrize("fault", [changed, gone])
def test_rows_kept_by_the_run_that_are_changed_or_gone_are_not_traced(days: Days, fault: Callable[[Path], str]) -> None:
    how = fault(Path(days.run(DAY).folder.path) / "index" / "flights.parquet")
    code, printed = days.command("trace", DAY, "by_day", "flights")
    assert code == 40
    assert ("the file was changed" if how == "changed" else "is not there") in printed
    assert "equal" not in printed


@pytest.mark.parametrize("fault", [changed, gone])
def test_refused_says_that_its_lines_cannot_be_looked_up_and_replay_keeps_nothing(
    days: Days, tmp_path: Path, fault: Callable[[Path], str]
) -> None:
    break_lines(days)
    raw = Path(days.run(DAY).folder.path) / "extract_files" / "flights.csv"
    filled = fill(written(days, tmp_path / "refused.csv"))
    how = fault(raw)
    code, printed = days.command("refused", DAY)
    assert code == 0
    assert f"not checked: {raw} is {how} since the run read it" in printed
    assert days.json("refused", DAY)["unchecked"] == {str(raw): how}
    code, printed = replay(days, filled)
    assert code == 40
    assert f"{raw}: " in printed
    assert not (days.servers.data / "mends").exists()


@pytest.mark.parametrize("fault", [changed, gone])
def test_refused_rows_whose_own_file_is_changed_or_gone_are_not_shown(days: Days, fault: Callable[[Path], str]) -> None:
    break_lines(days)
    kept = Path(days.run(DAY).folder.path) / "load" / "refused.parquet"
    fault(kept)
    code, printed = days.command("refused", DAY)
    assert code == 40
    assert printed.startswith(f"{kept}: ")
