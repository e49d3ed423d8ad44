"""The settings that Airflow's processes run with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from upath import UPath

from deployment.environment import airflow_environment, data_url, shared_settings, with_this_shell, write_shell_file
from deployment.home import REPOSITORY, Home
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres


@pytest.fixture
def settings(postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path) -> dict[str, str]:
    return airflow_environment(postgres, ftp_server, data_url(tmp_path / "data"), tmp_path / "dags", 8080)


def test_every_setting_is_one_that_this_airflow_knows(settings: dict[str, str]) -> None:
    known = _known_options()
    asked = [name.split("__")[1:] for name in settings if name.startswith("AIRFLOW__")]
    assert len(asked) > 15
    assert [
        f"{section}.{option}".lower() for section, option in asked if option.lower() not in known[section.lower()]
    ] == []


def test_every_shared_setting_has_its_reason_above_it() -> None:
    lines = (REPOSITORY / "config" / "airflow.env").read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            assert lines[number - 1].startswith("# "), line
    assert len(shared_settings()) >= 5


@pytest.mark.parametrize("name", ["SOURCE_DB", "WAREHOUSE", "FTP"])
def test_a_connection_has_all_its_parts(settings: dict[str, str], name: str) -> None:
    connection = json.loads(settings[f"AIRFLOW_CONN_{name}"])
    assert connection["host"] == "127.0.0.1"
    assert connection["port"] > 0
    assert len(connection["password"]) >= 24


def test_the_callers_own_airflow_and_proxy_do_not_reach_ours(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", "ftp://elsewhere")
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    monkeypatch.setenv("NO_PROXY", "example.org")
    merged = with_this_shell(settings)
    assert merged["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert not {"AIRFLOW_CONN_OTHER", "PGSERVICE"} & set(merged)
    assert merged["NO_PROXY"] == "example.org,127.0.0.1,localhost"


def test_a_shell_that_reads_the_file_has_the_same_settings(settings: dict[str, str], tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    settings["ODD"] = 'it\'s "a" $HOME\nof two lines'
    write_shell_file(home, settings)
    assert home.shell_file.stat().st_mode & 0o777 == 0o600
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f". '{home.shell_file}' && '{sys.executable}' -c '{show}'"
    seen = json.loads(subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout)
    assert {name: seen[name] for name in settings} == settings
    assert seen["PATH"].startswith(f"{sys.prefix}/bin:")


@pytest.mark.parametrize("given", ["s3://bucket/data", "file:///data"])
def test_a_data_folder_may_be_a_url(given: str) -> None:
    assert data_url(given) == given


def test_a_data_folder_may_be_a_path_with_blanks() -> None:
    assert data_url("/srv/my data") == "file:///srv/my data"
    assert UPath(data_url("/srv/my data")).path == "/srv/my data"


def _known_options() -> dict[str, set[str]]:
    import airflow

    described = yaml.safe_load((Path(airflow.__file__).parent / "config_templates" / "config.yml").read_text())
    return {section: set(about["options"]) for section, about in described.items()}
