"""Pipelines whose files change under a process that lives on, such as the API server."""

import shutil
import subprocess
import sys
from pathlib import Path

from deployment.home import REPOSITORY

OTHER = """
from pipelines.flights import PIPELINE as FLIGHTS
from daybook.spec import Target
{counted}
PIPELINE = FLIGHTS.model_copy(update={{"name": "{name}", "target": Target(schema="{name}")}})
"""
COUNTED = "import pathlib; (pathlib.Path(__file__).parents[1] / 'loads').open('a').write('x')"
LIVES_ON = """
import sys
from daybook.pipelines import pipelines_now
for line in sys.stdin:
    found = pipelines_now()
    print(*sorted(found.good), *(f"{file}: {why}" for file, why in found.broken.items()), flush=True)
"""


def test_a_process_that_lives_on_sees_pipelines_that_are_added_changed_broken_mended_and_removed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "pipelines"
    shutil.copytree(REPOSITORY / "include" / "pipelines", folder, ignore=shutil.ignore_patterns("__pycache__"))
    paths = f"{tmp_path}:{REPOSITORY / 'include'}"
    with subprocess.Popen(
        [sys.executable, "-c", LIVES_ON],
        env={"PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout

        def asked() -> str:
            assert process.stdin
            assert process.stdout
            process.stdin.write("again\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        assert asked() == "flights"
        (folder / "added.py").write_text(OTHER.format(name="tides", counted=COUNTED))
        assert [asked(), asked(), asked()] == ["flights tides"] * 3
        assert (tmp_path / "loads").read_text() == "x", "it is loaded once, not at each request"
        (folder / "added.py").write_text(OTHER.format(name="weather", counted=""))
        assert asked() == "flights weather"
        (folder / "added.py").write_text("a typo")
        assert asked().startswith("flights include/pipelines/added.py: line 1: SyntaxError")
        (folder / "added.py").write_text(OTHER.format(name="mended", counted=""))
        assert asked() == "flights mended"
        (folder / "added.py").unlink()
        assert asked() == "flights"
