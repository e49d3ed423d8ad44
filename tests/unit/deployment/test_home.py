"""What a home keeps: secrets for its owner alone, ports, and one deployment at a time."""

import json
import stat
import subprocess
from dataclasses import asdict
from pathlib import Path
from threading import Timer

import pytest
from cryptography.fernet import Fernet

from deployment.errors import DeploymentError
from deployment.home import WATCHER, Home, Lock, is_free
from deployment.secret_values import FILE, load_or_make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def test_G3_only_the_owner_may_read_the_secrets(home: Home) -> None:
    load_or_make(home)
    assert stat.S_IMODE((home.path / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_G3_a_home_anywhere_in_a_checkout_is_ignored_by_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    Home(tmp_path / "here").make()
    load_or_make(Home(tmp_path / "here"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.txt").write_text("a person's own")
    Home(tmp_path / "mine").make()
    seen = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["??", "mine/"]


def test_G3_secrets_are_long_all_different_and_made_once(home: Home, tmp_path: Path) -> None:
    values = asdict(load_or_make(home))
    assert min(map(len, values.values())) >= 24
    assert len(set(values.values())) == len(values)
    assert asdict(load_or_make(home)) == values
    Fernet(values["fernet_key"])
    other = Home(tmp_path / "other")
    other.make()
    assert not set(asdict(load_or_make(other)).values()) & set(values.values())


def test_a_secret_that_is_missing_is_added_and_the_others_stay(home: Home) -> None:
    before = asdict(load_or_make(home))
    (home.path / FILE).write_text(json.dumps({name: value for name, value in before.items() if name != "viewer"}))
    after = asdict(load_or_make(home))
    assert after.pop("viewer") != before.pop("viewer")
    assert after == before


def test_a_port_is_kept_while_it_is_free(home: Home) -> None:
    port = home.port("one")
    assert is_free(port)
    assert home.port("one") == port
    assert home.port("two") != port


def test_a_watcher_that_tidies_up_is_waited_for(home: Home) -> None:
    watcher, next_one = Lock(home), Lock(home)
    watcher.take(WATCHER)
    Timer(0.5, watcher.release).start()
    next_one.take("make demo")
    next_one.release()


def test_a_second_deployment_is_told_who_is_there(home: Home) -> None:
    first, second = Lock(home), Lock(home)
    first.take("make up")
    with pytest.raises(DeploymentError, match=r"^make up is running already .* \(process \d+\); nothing was done\."):
        second.take("make demo")
    assert second.is_taken()
    first.release()
    second.take("make demo")
    assert second.holder()["command"] == "make demo"
    second.release()
