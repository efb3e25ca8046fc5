import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel import clock, messages, outbox
from kernel.alerts import alert
from kernel.config import ConfigError, config
from kernel.db import db
from kernel.messages import NoMailbox, NoMailServer, NotSent, mail
from kernel.outbox import Outbox
from kernel.transaction import transaction
from tests.mailbox import Mailbox, make_certificate, running_mailbox

PHONE = "+886912345678"
ALICE = "alice@example.com"
MAIL_FROM = "寄杯 <no-reply@example.org>"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, engines: object):
    """Set MESSAGE_PORT, and what else is given, for one test."""

    def choose(name: str = "console", **others: str) -> None:
        for variable, value in {"MESSAGE_PORT": name, **others}.items():
            monkeypatch.setenv(variable, value)
        config.cache_clear()
        messages.sender.cache_clear()

    monkeypatch.delenv("SMTP_URL", raising=False)
    yield choose
    monkeypatch.undo()
    config.cache_clear()
    messages.sender.cache_clear()


@pytest.fixture
def mailbox():
    with running_mailbox() as running:
        yield running


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate of a mail server that is trusted."""
    file = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


def by(server: Mailbox, scheme: str = "smtp", user: str = "") -> dict[str, str]:
    """The settings to send e-mail through a server."""
    return {"SMTP_URL": f"{scheme}://{user}127.0.0.1:{server.port}", "MAIL_FROM": MAIL_FROM}


def write(to: str = ALICE, text: str = "您好", dedupe_key: str = "row-1") -> None:
    messages.send(to=to, text=text, dedupe_key=dedupe_key, subject="寄杯即將到期")


sent: list[dict[str, str]] = []


def keep(**message: str) -> None:
    """A sender of the tests' own."""
    sent.append(message)


def break_down(*, to: str, text: str, dedupe_key: str) -> None:
    """A sender that says too much."""
    raise ValueError(f"cannot send {text} to {to}")


def explain(*, to: str, text: str, dedupe_key: str) -> None:
    """A sender that says why, and nothing of whom."""
    raise NotSent("the account has no credit left")


def test_in_development_a_text_is_printed_and_appended(
    port, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "messages.log"
    port(MESSAGE_FILE=str(file))

    for text in ("第一則", "second\nline"):
        messages.send(to=PHONE, text=text, dedupe_key=text)

    assert f"message to {PHONE}: 第一則" in capsys.readouterr().out
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["第一則", "second\nline"]
    assert file.stat().st_mode & 0o077 == 0


def test_a_real_sender_is_one_function_that_is_named(port):
    port(f"{__name__}:keep")

    messages.send(to=PHONE, text="hello", dedupe_key="row-1", subject="phones show none")

    assert sent == [{"to": PHONE, "text": "hello", "dedupe_key": "row-1"}]


def test_a_sender_that_is_not_there_is_named(port):
    port("chain.telegraph:send")

    with pytest.raises(ConfigError, match=r"MESSAGE_PORT: .*chain\.telegraph:send"):
        messages.sender()


@pytest.mark.parametrize("name", ["console", ""])
def test_production_says_what_sends_or_does_not_start(port, name: str):
    port(name, JIBEI_MODE="production")

    with pytest.raises(ConfigError, match="MESSAGE_PORT: name what sends text messages"):
        config()


def test_what_a_sender_says_of_whom_it_did_not_reach_is_not_repeated(port):
    port(f"{__name__}:break_down")

    with pytest.raises(NotSent) as refused:
        messages.send(to=PHONE, text="hello", dedupe_key="row-1")

    assert str(refused.value) == "ValueError"
    assert refused.value.__suppress_context__


def test_a_sender_may_say_why(port):
    port(f"{__name__}:explain")

    with pytest.raises(NotSent, match="no credit left"):
        messages.send(to=PHONE, text="hello", dedupe_key="row-1")


def test_in_development_a_letter_is_printed_where_no_server_is_named(port, tmp_path: Path):
    file = tmp_path / "messages.log"
    port(f"{__name__}:keep", MESSAGE_FILE=str(file))

    write()

    assert json.loads(file.read_text(encoding="utf-8")) == {
        "to": ALICE,
        "text": "您好",
        "dedupe_key": "row-1",
        "subject": "寄杯即將到期",
    }


def test_in_production_a_letter_needs_a_server(port):
    port(f"{__name__}:keep", JIBEI_MODE="production")

    with pytest.raises(NoMailServer):
        write()
    assert not messages.has_mail()


def test_a_letter_arrives_as_it_was_written(port, mailbox: Mailbox):
    port(**by(mailbox))

    write(text="您的「拿鐵」還有 3 杯。\n.\n請儘快使用")

    (letter,) = mailbox.letters
    assert letter["To"] == ALICE
    assert letter["From"] == MAIL_FROM
    assert letter["Subject"] == "寄杯即將到期"
    assert letter["Date"].datetime - clock.now() < timedelta(minutes=1)
    assert letter.get_content() == "您的「拿鐵」還有 3 杯。\n.\n請儘快使用\n"
    assert mailbox.recipients == [f"<{ALICE}>"]


def test_a_letter_that_is_sent_again_has_the_same_id_and_no_other_has(port, mailbox: Mailbox):
    port(**by(mailbox))

    for dedupe_key in ("row-1", "row-1", "row-2"):
        write(dedupe_key=dedupe_key)

    ids = [letter["Message-ID"] for letter in mailbox.letters]
    assert ids == ["<row-1@example.org>", "<row-1@example.org>", "<row-2@example.org>"]


def test_an_address_with_a_comma_is_one_recipient(port, mailbox: Mailbox):
    port(**by(mailbox))

    write(to='"alice,bob"@example.com')

    assert mailbox.recipients == ['<"alice,bob"@example.com>']


def test_a_subject_is_one_line_whatever_an_offer_is_called(port, mailbox: Mailbox):
    port(**by(mailbox))

    messages.send(
        to=ALICE, text="hello", dedupe_key="row-1", subject="Latte\r\nBcc: bob@example.com"
    )

    (letter,) = mailbox.letters
    assert letter["Subject"] == "Latte Bcc: bob@example.com"
    assert letter["Bcc"] is None


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_goes_to_a_server_that_is_trusted(port, certificate: Path, scheme: str):
    with running_mailbox(certificate, encrypts_at_once=scheme == "smtps") as server:
        port(**by(server, scheme, user="alice:s%40cret@"))

        write()

        assert server.logins == [b"\0alice\0s@cret"]
        assert len(server.letters) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_nothing_goes_to_a_server_that_is_not_trusted(port, tmp_path: Path, scheme: str):
    unknown = make_certificate(tmp_path / "unknown.pem")
    with running_mailbox(unknown, encrypts_at_once=scheme == "smtps") as server:
        port(**by(server, scheme, user="alice:secret@"))

        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            write()

        assert (server.logins, server.raw) == ([], [])


def test_the_submission_port_is_not_used_in_the_clear(
    port, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
):
    port(**by(mailbox))
    monkeypatch.setattr(mail, "_SUBMISSION", mailbox.port)

    with pytest.raises(NotSent, match="STARTTLS"):
        write()
    assert mailbox.raw == []


def test_a_server_that_is_away_is_told_of(port, mailbox: Mailbox):
    with running_mailbox() as gone:
        port(**by(gone))

    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        write()


def test_a_server_that_is_silent_is_not_waited_for(port, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mail, "_PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        port(SMTP_URL=address, MAIL_FROM=MAIL_FROM)

        with pytest.raises(NotSent, match="SMTPServerDisconnected"):
            write()


@pytest.mark.parametrize(
    ("code", "is_final"), [(450, False), (499, False), (500, True), (550, True)]
)
def test_an_address_that_is_refused_for_good_is_told_apart(
    port, mailbox: Mailbox, code: int, is_final: bool
):
    mailbox.refusal = code
    port(**by(mailbox))

    with pytest.raises(NotSent) as refused:
        write()

    assert isinstance(refused.value, NoMailbox) == is_final


@pytest.mark.parametrize("code", [450, 550])
@pytest.mark.parametrize("to", [ALICE, "alice@@example.com", "alice@example.com, bob@example.com"])
def test_an_address_that_is_refused_is_not_repeated(port, mailbox: Mailbox, to: str, code: int):
    mailbox.refusal = code
    port(**by(mailbox))

    with pytest.raises(NotSent) as refused:
        write(to=to)

    assert "alice" not in str(refused.value)
    assert refused.value.__suppress_context__
    assert mailbox.raw == []


@pytest.mark.usefixtures("app")
def test_an_alert_is_a_letter_that_is_tried_until_it_arrives(port, mailbox: Mailbox):
    port(**by(mailbox), ALERT_TO=ALICE)
    mailbox.refusal = 450
    with transaction():
        alert("The books differ.", now=clock.now())

    outbox.drain()
    last_error = _retry_now()
    mailbox.refusal = 0
    outbox.drain()

    assert last_error == "NotSent: SMTPRecipientsRefused"
    (letter,) = mailbox.letters
    assert letter.get_content() == "The books differ.\n"
    assert "Jibei" in letter["Subject"]


def _retry_now() -> str | None:
    """Have the one promise kept now; answers why it was not."""
    with transaction():
        row = db.session.scalars(select(Outbox)).one()
        row.due_at = clock.now()
        return row.last_error
