"""Tries of tasks: one that ended without a word is known, and told by one process alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from daybook.alerts.tries import Tries, Try

ONE = Try("flights", "manual__../../x\n", "load/..", 1)


def test_what_a_process_began_and_did_not_end_is_left_and_told_once(tmp_path: Path) -> None:
    tries = Tries(tmp_path)
    tries.begin(ONE)
    assert tries.left(ONE.dag_id, ONE.run_id) == [ONE]
    assert [tries.claim(ONE), tries.claim(ONE), Tries(tmp_path).claim(ONE)] == [True, False, False]
    assert tries.left(ONE.dag_id, ONE.run_id) == []


def test_a_try_that_ended_by_itself_leaves_nothing_and_another_run_is_another_one(tmp_path: Path) -> None:
    tries = Tries(tmp_path)
    for number in (1, 2):
        tries.begin(Try("flights", "run", "load", number))
    tries.end(Try("flights", "run", "load", 1))
    assert [one.number for one in tries.left("flights", "run")] == [2]
    assert tries.left("flights", "other") == []


def test_a_try_that_never_began_can_be_told_once_too_and_a_new_try_of_that_number_again(tmp_path: Path) -> None:
    tries = Tries(tmp_path)
    assert [tries.claim(ONE), tries.claim(ONE)] == [True, False]
    tries.begin(ONE)
    assert tries.claim(ONE)


@pytest.mark.parametrize("ends", ["os.kill(os.getpid(), 9)", "os._exit(0)"])
def test_only_a_process_that_is_gone_is_dead(tmp_path: Path, ends: str) -> None:
    tries = Tries(tmp_path)
    tries.begin(Try("flights", "run", "load", 1))
    lines = (
        f"from daybook.alerts.tries import *; Tries(Path({str(tmp_path)!r})).begin(Try('flights', 'run', 'save', 1))"
    )
    subprocess.run([sys.executable, "-c", f"{lines}; {ends}"], check=False, env={"PYTHONPATH": ":".join(sys.path)})
    assert [one.task_id for one in tries.dead("flights", "run")] == ["save"]
    assert [one.task_id for one in tries.left("flights", "run")] == ["load", "save"]


def test_a_file_that_is_half_written_is_no_try_and_old_ones_go(tmp_path: Path) -> None:
    tries = Tries(tmp_path)
    tries.begin(ONE)
    (file,) = (tmp_path / "tries").glob("*/*")
    file.write_text("{")
    assert tries.left(ONE.dag_id, ONE.run_id) == []
    tries.tidy(0)
    assert file.exists()
    tries.tidy(file.stat().st_mtime + 8 * 24 * 3600)
    assert not any((tmp_path / "tries").iterdir())
