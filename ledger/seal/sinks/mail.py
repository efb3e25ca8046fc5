"""`mailto:finance@example.com`: a letter a day, through the server that SMTP_URL names."""

import smtplib
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from kernel.config import config
from ledger.seal.head import Head

_PATIENCE_S = 10.0


class NoMailServer(Exception):  # noqa: N818  names the state
    """SEAL_TO names a mailbox, and SMTP_URL no server to reach it through."""


def keep(place: str, head: Head) -> None:
    """Send the head's line as a letter; twice the same day is the same letter twice."""
    url = config().smtp_url
    if url is None:
        raise NoMailServer
    with _server(urlsplit(url)) as server:
        server.send_message(_letter(place.removeprefix("mailto:"), head))


def _letter(to: str, head: Head) -> EmailMessage:
    letter = EmailMessage()
    letter["To"] = to
    letter["From"] = config().mail_from or to
    letter["Subject"] = f"Jibei: seal of the books, {head.on_date}, entry {head.number}"
    letter.set_content(
        "Keep this line. With it, jibei books verify-seal --heads FILE shows whether anything\n"
        f"in the books was changed that was there on {head.on_date}.\n\n{head.line()}\n",
        cte="7bit",  # as it is: the line must survive being copied from the raw letter
    )
    return letter


def _server(url: SplitResult) -> smtplib.SMTP:
    """Connect; a password is never sent in the clear."""
    host, port = url.hostname or "", url.port or 0
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE_S)
    else:
        server = smtplib.SMTP(host, port, timeout=_PATIENCE_S)
    try:
        server.ehlo()
        if url.scheme == "smtp" and (url.username or server.has_extn("starttls")):
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server
