"""What `make up` finds in its folder: what is spoilt is told in a sentence."""

import json
from pathlib import Path

import pytest

from dev import home, reset
from kernel.embedded import CannotStart


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(home, "HOME", tmp_path / "home")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_secrets_are_made_once_and_kept(folder: Path) -> None:
    first = home.kept_secrets()

    assert home.kept_secrets() == first
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"secret_key": "1"}'])
def test_spoilt_secrets_are_named_with_what_to_do(folder: Path, text: str) -> None:
    (folder / "secrets.json").write_text(text)

    with pytest.raises(CannotStart, match=r"secrets.json is not there or cannot be read: put it"):
        home.kept_secrets()


def test_secrets_that_are_missing_beside_data_are_not_made_anew(folder: Path) -> None:
    (folder / "postgres" / "pgdata").mkdir(parents=True)

    with pytest.raises(CannotStart, match=r"secrets.json is not there or cannot be read: put it"):
        home.kept_secrets()
    assert not (folder / "secrets.json").exists()


@pytest.mark.parametrize("text", ["nonsense", "", "nan", "1e999"])
def test_a_spoilt_clock_is_named_with_what_to_do(folder: Path, text: str) -> None:
    (folder / "clock").write_text(text)

    with pytest.raises(CannotStart, match="clock is no number of seconds: put it back"):
        home.check_clock()


def test_no_clock_and_a_good_one_are_fine(folder: Path) -> None:
    home.check_clock()
    (folder / "clock").write_text("86400.5\n")
    home.check_clock()


def test_data_are_deleted_by_a_reset(folder: Path) -> None:
    home.kept_secrets()

    assert reset.main() == 0
    assert not folder.exists()


def test_data_are_not_deleted_while_it_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with home.only_one():
        (folder / "run.json").write_text(json.dumps({"url": "http://here", "pid": 7}))

        assert reset.main() == 1

    assert folder.exists()
    assert "already runs in this checkout at http://here: stop it first" in capsys.readouterr().err
