"""E-mail, through the server that SMTP_URL names: plain text, one recipient a letter."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import SplitResult, quote, unquote, urlsplit

from kernel import clock
from kernel.config import config
from kernel.messages.errors import NoMailbox, NoMailServer, NotSent

_PATIENCE_S = 10.0
_SUBMISSION = 587  # RFC 6409: what comes in there is to be encrypted
_FOR_GOOD = 500  # RFC 5321: 4xx may go away, 5xx does not


def send(*, to: str, text: str, dedupe_key: str, subject: str | None) -> None:
    """Send a letter; sent twice it has the same Message-ID, by which mailboxes know it again.

    Raises:
        NoMailServer: SMTP_URL is not set.
        NoMailbox: the server refuses the address for good (5xx).
        NotSent: the server does not encrypt, and has to.
        OSError, SMTPException, ValueError: no server, a slow one, or one that refuses; an address
            that is none. Their words may quote the address.
    """
    url = config().smtp_url
    if url is None:
        raise NoMailServer
    letter = _letter(to=to, text=text, dedupe_key=dedupe_key, subject=subject)
    with _server(urlsplit(url)) as server:
        try:
            server.send_message(letter, from_addr=_sender(), to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, _),) = refused.recipients.values()
            if code >= _FOR_GOOD:
                raise NoMailbox(f"the mail server answered {code}") from None
            raise


def _letter(*, to: str, text: str, dedupe_key: str, subject: str | None) -> EmailMessage:
    letter = EmailMessage()
    letter["To"] = Address(addr_spec=to)  # one address, whatever commas it has in it
    letter["From"] = config().mail_from
    letter["Date"] = clock.now()
    letter["Message-ID"] = f"<{quote(dedupe_key, safe='')}@{_sender().rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody on holiday answers it
    letter["Subject"] = " ".join((subject or "").split())
    # ASCII goes as it is, however long its lines: some are copied from the raw letter.
    letter.set_content(text, cte="7bit" if text.isascii() else "base64")
    return letter


def _sender() -> str:
    """The bare address of MAIL_FROM, which start-up asks for wherever there is SMTP_URL."""
    return parseaddr(config().mail_from or "")[1]


def _server(url: SplitResult) -> smtplib.SMTP:
    """Connect; a password is never sent in the clear, nor to a server of another name."""
    host, port, trusted = url.hostname or "", url.port or 0, ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE_S, context=trusted)
    else:
        server = smtplib.SMTP(host, port, timeout=_PATIENCE_S)
    try:
        server.ehlo()
        if url.scheme == "smtp":
            _encrypt(server, trusted, is_needed=bool(url.username) or url.port == _SUBMISSION)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _encrypt(server: smtplib.SMTP, trusted: ssl.SSLContext, *, is_needed: bool) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=trusted)
    elif is_needed:
        raise NotSent("the mail server does not offer STARTTLS")
