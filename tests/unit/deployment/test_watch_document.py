"""The timer and the cron line of docs/operating.md: systemd and a cron parser read them."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

from croniter import croniter

from commands.__main__ import PARAGRAPH_OF
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "operating.md").read_text()
UNITS = dict(re.findall(r"```ini\n# (\S+)\n(.*?)```", DOCUMENT, re.DOTALL))
ANALYZE = shutil.which("systemd-analyze")


def test_the_units_are_those_that_systemd_reads(tmp_path: Path) -> None:
    assert sorted(UNITS) == ["daybook-watch.service", "daybook-watch.timer"]
    program = tmp_path / "daybook"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in UNITS.items():
        assert {"Unit"} < set(read(text).sections())
        # The program, its user and its settings are not on this machine.
        here = text.replace("/opt/daybook/daybook", str(program)).replace("User=daybook\n", "")
        (tmp_path / name).write_text(here)
    verb = read(UNITS["daybook-watch.service"])["Service"]["ExecStart"].split()[1]
    assert verb in PARAGRAPH_OF
    if ANALYZE:
        files = [str(tmp_path / name) for name in UNITS]
        checked = subprocess.run([ANALYZE, "verify", *files], capture_output=True, text=True)
        about_us = [line for line in checked.stderr.splitlines() if "daybook-watch" in line]
        assert (checked.returncode, about_us) == (0, [])


def test_the_cron_line_means_each_minute() -> None:
    (line,) = (line for line in re.findall(r"```crontab\n(.*?)\n```", DOCUMENT) if " watch " in line)
    cron = " ".join(line.split()[:5])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert croniter(cron, begin).get_next(datetime) == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert line.endswith("/opt/daybook/daybook watch --quiet")


def read(text: str) -> ConfigParser:
    """Return a unit's sections."""
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser
