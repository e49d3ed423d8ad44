"""Secrets that are none are refused by name, before anything starts; and `.env` is filled in, never overwritten."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commands import down
from commands.__main__ import main
from deployment.compose.env import secret_variables, settings, write_env
from deployment.errors import DeploymentError
from deployment.home import REPOSITORY, Home
from deployment.secret_rules import faults
from deployment.secret_values import FILE, load_or_make

WITHOUT_A_UID = [name for name in settings(1000) if name != "AIRFLOW_UID"]
A_SAMPLE = "is a sample or a default, which anybody would try"
PASSWORD, SIGNING_KEY, FERNET_KEY = "DAYBOOK_SECRET_ANALYST", "DAYBOOK_SECRET_JWT_SECRET", "DAYBOOK_SECRET_FERNET_KEY"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        (PASSWORD, "", "is empty"),
        (PASSWORD, "   ", "is empty"),
        (PASSWORD, "changeme", A_SAMPLE),
        (PASSWORD, "Password123", A_SAMPLE),
        (PASSWORD, "your-secret-password-here", A_SAMPLE),
        (PASSWORD, "change_this_to_a_strong_random_value", A_SAMPLE),
        (PASSWORD, "12345678901234567890", A_SAMPLE),
        (PASSWORD, "changeme" * 40, A_SAMPLE),
        (PASSWORD, "hT5x-9vQ", "has 8 characters: 16 or more"),
        (PASSWORD, "xyxyxyxyxyxyxyxyxyxyxyxy", "repeats a few characters"),
        (PASSWORD, "hT5x/9vQ@kw:Zq3LmN8r", "has a character that cannot stand in an address"),
        (PASSWORD, "hT5x9vQ\nkwZq3LmN8rtt", "has a character that cannot stand in an address"),
        (SIGNING_KEY, "airflow_jwt_secret", A_SAMPLE),
        (SIGNING_KEY, "hT5x9vQkwZq3LmN8r-Tb", "has 20 characters: 64 or more"),
        (FERNET_KEY, "hT5x9vQkwZq3LmN8r-Tb", "is no Fernet key"),
        (FERNET_KEY, "A" * 43 + "=", "is no Fernet key"),
        (FERNET_KEY, "é" * 44, "is no Fernet key"),
        (FERNET_KEY, "changeme", A_SAMPLE),
    ],
)
def test_G3_an_unfit_secret_is_refused_by_its_name_and_its_value_is_not_said(name: str, value: str, fault: str) -> None:
    made = settings(1000)
    [said] = faults({one: made[one] for one in WITHOUT_A_UID} | {name: value})
    assert said.startswith(f"{name} {fault}")
    assert value.strip() not in said or not value.strip()


def test_G3_two_secrets_that_are_equal_are_named() -> None:
    same = dict.fromkeys(("DAYBOOK_SECRET_VIEWER", "DAYBOOK_SECRET_ADMIN"), "k8Fq-2LmW_zTr7Yb0Q")
    assert faults(same) == ["DAYBOOK_SECRET_ADMIN is the same as DAYBOOK_SECRET_VIEWER: who knows one knows both"]


def test_secrets_that_are_made_are_fit_whatever_chance_brings() -> None:
    for _ in range(300):
        made = settings(1000)
        assert faults({name: made[name] for name in WITHOUT_A_UID}) == []


def test_a_long_value_that_is_almost_a_sample_is_judged_at_once() -> None:
    assert faults({PASSWORD: "changemetodo" * 500 + "!"}) == [
        f"{PASSWORD} has a character that cannot stand in an address: letters, digits, `-` and `_` only"
    ]


def checked(secrets: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run what the first service of the stack runs, in an environment that holds these secrets."""
    environment = {"PYTHONPATH": str(REPOSITORY / "include"), "PATH": os.defpath, **secrets}
    command = [sys.executable, "-m", "deployment.compose.check_secrets"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_G3_the_stack_s_first_service_ends_well_with_what_make_env_writes() -> None:
    done = checked(settings(1000))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_G3_the_stack_s_first_service_names_each_unfit_secret_in_a_line_and_no_value() -> None:
    secrets = settings(1000) | {"DAYBOOK_SECRET_FTP": "password", "DAYBOOK_SECRET_ANALYST": "Kx3_pY"}
    secrets["DAYBOOK_SECRET_VIEWER"] = secrets["DAYBOOK_SECRET_ADMIN"]
    del secrets["DAYBOOK_SECRET_API_SECRET_KEY"]
    done = checked(secrets)
    assert done.returncode == 1
    *lines, mend = done.stderr.splitlines()
    assert sorted(line.split()[1] for line in lines) == [
        f"DAYBOOK_SECRET_{name}" for name in ("ANALYST", "API_SECRET_KEY", "FTP", "VIEWER")
    ]
    assert mend.startswith("Nothing was started. Put another value into .env")
    assert not [name for name in WITHOUT_A_UID if secrets.get(name) and secrets[name] in done.stderr]


@pytest.mark.parametrize("value", ["", "changeme", None])
def test_G3_a_home_whose_secrets_were_edited_to_none_is_refused(tmp_path: Path, value: str | None) -> None:
    home = Home(tmp_path / "home")
    home.make()
    load_or_make(home)
    file = home.path / FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"admin": value}))
    with pytest.raises(DeploymentError, match=r"secrets\.json: admin is .*; nothing was done; remove its line"):
        load_or_make(home)


def test_an_env_of_an_earlier_version_gets_what_it_lacks_and_keeps_what_it_says(tmp_path: Path) -> None:
    write_env(tmp_path)
    file = tmp_path / ".env"
    before = file.read_text()
    older = before.replace(next(line for line in before.splitlines() if "_FTP=" in line), "DAYBOOK_SECRET_FTP=")
    file.write_text(f"# My own\nUI_PORT=8081\n{older}")
    assert write_env(tmp_path) == "Added to .env: DAYBOOK_SECRET_FTP. What it said before stays."
    kept = older.replace("DAYBOOK_SECRET_FTP=\n", "")
    assert file.read_text().startswith(f"# My own\nUI_PORT=8081\n{kept}DAYBOOK_SECRET_FTP=")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(DeploymentError, match="was left as it is"):
        write_env(tmp_path)


def test_the_command_env_writes_what_make_env_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(down, "REPOSITORY", tmp_path)
    assert main(["env", "--compose"]) == 0
    assert capsys.readouterr().out.startswith("Wrote .env; the stack writes into ./data as user ")
    assert main(["env", "--compose"]) == 40
    assert "was left as it is" in capsys.readouterr().err


def test_the_example_filled_in_by_make_env_is_a_whole_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((REPOSITORY / ".env.example").read_text())
    assert write_env(tmp_path).startswith("Wrote .env")
    lines = (tmp_path / ".env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert list(values) == list(settings(1000))
    assert faults({name: values[name] for name in secret_variables()}) == []
