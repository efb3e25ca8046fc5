"""`mailto:finance@example.com`: a letter a day, through the server that SMTP_URL names."""

from kernel.messages import mail
from ledger.seal.head import Head


def keep(place: str, head: Head) -> None:
    """Send the head's line as a letter; twice the same day is the same letter twice."""
    mail.send(
        to=place.removeprefix("mailto:"),
        subject=f"Jibei: seal of the books, {head.on_date}, entry {head.number}",
        text="Keep this line. With it, jibei books verify-seal --heads FILE shows whether anything"
        f"\nin the books was changed that was there on {head.on_date}.\n\n{head.line()}\n",
        dedupe_key=f"seal-{head.on_date}-{head.number}",
    )
