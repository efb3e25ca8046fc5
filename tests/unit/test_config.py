"""Start-up names everything that is wrong with the environment, at once."""

import pytest

from kernel.config import ConfigError, config

pytestmark = pytest.mark.usefixtures("settings")


def test_a_complete_environment_is_read():
    assert config().is_development
    assert len(config().secret_key) == 32


def test_all_missing_and_malformed_variables_are_named_together(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("STRIPE_API_KEY", "pk_test_public")
    monkeypatch.setenv("PUBLIC_ORIGIN", "example.org/path")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "many")
    with pytest.raises(ConfigError) as problem:
        config()
    told = str(problem.value)
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "STRIPE_API_KEY",
        "PUBLIC_ORIGIN",
        "DATABASE_POOL_SIZE",
    ):
        assert f"  {name}: " in told


def test_a_folder_may_have_a_space_in_its_name(monkeypatch):
    monkeypatch.setenv("INVOICE_TO", "file:/home/alice/my code/invoices")
    monkeypatch.setenv("SEAL_TO", "file:/home/alice/my code/seals")

    assert config().invoice_to == "file:/home/alice/my code/invoices"
    assert config().seal_to == ("file:/home/alice/my code/seals",)


def test_a_clock_file_is_refused_in_production(monkeypatch):
    monkeypatch.setenv("JIBEI_MODE", "production")
    monkeypatch.setenv("MESSAGE_PORT", "tests.mailbox:send")
    monkeypatch.setenv("CLOCK_FILE", "/some/file")
    with pytest.raises(ConfigError, match="CLOCK_FILE: the clock moves in development only"):
        config()


def test_no_secret_is_repeated_in_the_sentences(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not-hex-but-secret")
    with pytest.raises(ConfigError) as problem:
        config()
    assert "not-hex-but-secret" not in str(problem.value)


def test_whoever_sends_e_mail_says_from_whom(monkeypatch):
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com:587")
    with pytest.raises(ConfigError, match="MAIL_FROM: "):
        config()


@pytest.mark.parametrize("name", ["no-reply@example.com", "寄杯 <no-reply@example.com>"])
def test_letters_come_from_an_address_with_or_without_a_name(monkeypatch, name):
    monkeypatch.setenv("MAIL_FROM", name)
    assert config().mail_from == name


@pytest.mark.parametrize("name", ["Jibei", "<no-reply>", "a@b <c@d", "a@example.com\nBcc: b@c"])
def test_what_is_no_address_sends_no_letters(monkeypatch, name):
    monkeypatch.setenv("MAIL_FROM", name)
    with pytest.raises(ConfigError, match="MAIL_FROM: give name@host"):
        config()


def test_in_production_alerts_go_to_a_mailbox_through_a_server(monkeypatch):
    monkeypatch.setenv("JIBEI_MODE", "production")
    monkeypatch.setenv("MESSAGE_PORT", "tests.mailbox:send")
    monkeypatch.setenv("ALERT_TO", "alice@example.com")
    with pytest.raises(ConfigError, match=r"ALERT_TO: .*SMTP_URL"):
        config()
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com:587")
    monkeypatch.setenv("MAIL_FROM", "no-reply@example.com")
    assert config().alert_to == "alice@example.com"


def test_card_terminals_come_with_a_key(monkeypatch):
    assert (config().terminal_api_base, config().terminal_api_key) == (None, None)
    config.cache_clear()
    monkeypatch.setenv("TERMINAL_API_BASE", "https://terminals.example.com")
    with pytest.raises(ConfigError, match="TERMINAL_API_KEY: "):
        config()
    monkeypatch.setenv("TERMINAL_API_KEY", "key")
    assert config().terminal_api_base == "https://terminals.example.com"


def test_in_production_the_key_of_the_terminals_is_not_sent_in_the_open(monkeypatch):
    monkeypatch.setenv("TERMINAL_API_BASE", "http://127.0.0.1:5")
    monkeypatch.setenv("TERMINAL_API_KEY", "key")
    assert config().terminal_api_base == "http://127.0.0.1:5"
    config.cache_clear()
    monkeypatch.setenv("JIBEI_MODE", "production")
    monkeypatch.setenv("MESSAGE_PORT", "tests.mailbox:send")
    with pytest.raises(ConfigError, match="TERMINAL_API_BASE: give the provider's address"):
        config()


@pytest.mark.parametrize("ceiling", ["0", "-80", "many"])
def test_a_ceiling_of_charges_is_a_number_of_one_or_more(monkeypatch, ceiling):
    monkeypatch.setenv("CHARGES_A_SECOND", ceiling)
    with pytest.raises(ConfigError, match="CHARGES_A_SECOND: "):
        config()


def test_modules_that_are_not_there_are_named_with_all_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESSAGE_PORT", "chain.telegraph:send")
    monkeypatch.setenv("INVOICE_TO", "no.such.place:send")
    monkeypatch.delenv("SECRET_KEY")

    with pytest.raises(ConfigError) as refused:
        config()

    assert "MESSAGE_PORT: there is no chain.telegraph:send" in str(refused.value)
    assert "INVOICE_TO: there is no no.such.place:send" in str(refused.value)
    assert "SECRET_KEY" in str(refused.value)
