"""Where a command finds Airflow's API and its login: the environment first, then Airflow's configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from daybook_airflow.access import DEFAULT_URL, Setting, address, login
from daybook_airflow.errors import DeploymentError

SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
TOKEN = {"DAYBOOK_API_TOKEN": "a.b.c"}
USER = {"DAYBOOK_API_USER": "ann", "DAYBOOK_API_PASSWORD": "of ann"}


def configured(**settings: str) -> Setting:
    """Return the function that gives these settings, named SECTION__KEY, as Airflow's configuration does."""
    return lambda section, key: settings.get(f"{section}__{key}")


def simple(
    tmp_path: Path,
    users: str = "viewer:viewer,admin:admin,other:admin",
    passwords: str | None = '{"viewer": "v", "admin": "a"}',
    **more: Any,
) -> Setting:
    file = tmp_path / "passwords.json"
    if passwords is not None:
        file.write_text(passwords)
    named = {"core__simple_auth_manager_users": users, "core__simple_auth_manager_passwords_file": str(file)}
    return configured(core__auth_manager=SIMPLE, **(named | more))


@pytest.mark.parametrize(
    ("variables", "settings", "url"),
    [
        ({}, {}, DEFAULT_URL),
        ({}, {"api__base_url": "https://airflow.example.com/"}, "https://airflow.example.com"),
        # In containers the address for browsers leads nowhere; tasks have the right one.
        (
            {},
            {"api__base_url": "http://127.0.0.1:8080", "core__execution_api_server_url": "http://api:8080/execution/"},
            "http://api:8080",
        ),
        ({}, {"core__execution_api_server_url": "http://api:8080/prefix/execution"}, "http://api:8080/prefix"),
        (
            {"DAYBOOK_API_URL": "http://other:1/"},
            {"core__execution_api_server_url": "http://api:8080"},
            "http://other:1",
        ),
        ({"DAYBOOK_API_URL": ""}, {}, DEFAULT_URL),
    ],
)
def test_the_address_is_the_first_that_is_configured(
    variables: dict[str, str], settings: dict[str, str], url: str
) -> None:
    assert address(variables, configured(**settings)).url == url


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (TOKEN, ("", "", "a.b.c")),
        (USER, ("ann", "of ann", "")),
        (TOKEN | USER, ("", "", "a.b.c")),
        # The first user whose role is admin.
        ({}, ("admin", "a", "")),
        ({"DAYBOOK_API_TOKEN": ""}, ("admin", "a", "")),
    ],
)
def test_the_login_is_the_first_that_is_given(
    tmp_path: Path, variables: dict[str, str], found: tuple[str, str, str]
) -> None:
    given = login(variables, simple(tmp_path))
    assert (given.user, given.password, given.token) == found


def test_another_auth_manager_needs_only_the_environment() -> None:
    fab = configured(core__auth_manager="airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager")
    assert login(USER, fab).user == "ann"
    with pytest.raises(DeploymentError, match=r"FabAuthManager' keeps none in a file; set DAYBOOK_API_TOKEN, or DAY"):
        login({}, fab)


def test_without_a_configured_file_it_is_the_one_that_airflow_generates(tmp_path: Path) -> None:
    (tmp_path / "simple_auth_manager_passwords.json.generated").write_text(json.dumps({"admin": "made"}))
    settings = configured(core__auth_manager=SIMPLE, core__simple_auth_manager_users="admin:Admin:team")
    given = login({"AIRFLOW_HOME": str(tmp_path)}, settings)
    assert (given.user, given.password) == ("admin", "made")


def test_where_everybody_is_an_admin_no_file_is_read() -> None:
    settings = configured(core__auth_manager=SIMPLE, core__simple_auth_manager_all_admins="True")
    assert login({}, settings).user


@pytest.mark.parametrize(
    ("variables", "simply", "says"),
    [
        ({"DAYBOOK_API_USER": "ann"}, {}, "DAYBOOK_API_USER is set and DAYBOOK_API_PASSWORD is not"),
        ({"DAYBOOK_API_PASSWORD": "x"}, {}, "DAYBOOK_API_PASSWORD is set and DAYBOOK_API_USER is not"),
        (
            {},
            {"passwords": None},
            "passwords.json: No such file or directory; expected the passwords of Airflow's users",
        ),
        ({}, {"passwords": "no JSON"}, "passwords.json: not a JSON object"),
        ({}, {"passwords": '["admin"]'}, "passwords.json: not a JSON object"),
        ({}, {"passwords": '{"viewer": "v"}'}, "passwords.json: no password of 'admin'"),
        (
            {},
            {"users": "viewer:viewer"},
            "users is 'viewer:viewer', in which nobody is an admin; set DAYBOOK_API_TOKEN",
        ),
    ],
)
def test_no_login_is_one_line_that_says_where_and_what_to_do(
    tmp_path: Path, variables: dict[str, str], simply: dict[str, Any], says: str
) -> None:
    with pytest.raises(DeploymentError, match=r"expected|set DAYBOOK") as wrong:
        login(variables, simple(tmp_path, **simply))
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_login_shows_no_secret() -> None:
    shown = repr(login(TOKEN, configured())) + repr(login(USER, configured()))
    assert "a.b.c" not in shown
    assert "of ann" not in shown
