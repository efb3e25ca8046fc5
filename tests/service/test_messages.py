import json
from pathlib import Path

import pytest

from kernel import messages
from kernel.config import ConfigError, config


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, engines: object):
    """Set MESSAGE_PORT for one test."""

    def choose(name: str, **others: str) -> None:
        for variable, value in {"MESSAGE_PORT": name, **others}.items():
            monkeypatch.setenv(variable, value)
        config.cache_clear()
        messages.sender.cache_clear()

    yield choose
    config.cache_clear()
    messages.sender.cache_clear()


sent: list[dict[str, str]] = []


def keep(**message: str) -> None:
    """A sender of the tests' own."""
    sent.append(message)


def test_in_development_a_text_is_printed_and_appended(
    port, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "messages.log"
    port("console", MESSAGE_FILE=str(file))

    for text in ("第一則", "second\nline"):
        messages.send(to="+886912345678", text=text, dedupe_key=text)

    assert "message to +886912345678: 第一則" in capsys.readouterr().out
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["第一則", "second\nline"]
    assert file.stat().st_mode & 0o077 == 0


def test_a_real_sender_is_one_function_that_is_named(port):
    port(f"{__name__}:keep")

    messages.send(to="+886912345678", text="hello", dedupe_key="row-1")

    assert sent == [{"to": "+886912345678", "text": "hello", "dedupe_key": "row-1"}]


def test_a_sender_that_is_not_there_is_named(port):
    port("chain.telegraph:send")

    with pytest.raises(ConfigError, match=r"MESSAGE_PORT: .*chain\.telegraph:send"):
        messages.sender()


@pytest.mark.parametrize("name", ["console", ""])
def test_production_says_what_sends_or_does_not_start(port, name: str):
    port(name, JIBEI_MODE="production")

    with pytest.raises(ConfigError, match="MESSAGE_PORT: name what sends text messages"):
        config()
