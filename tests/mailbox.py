"""A small mail server on this machine, that takes every letter it does not refuse."""

import email
import ipaddress
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class Mailbox(socketserver.ThreadingTCPServer):
    """What it was sent: `raw` as it came, `letters` as read, and to and by whom."""

    def __init__(self, tls: ssl.SSLContext | None, *, encrypts_at_once: bool) -> None:
        super().__init__((HOST, 0), _Session)
        self.tls = tls
        self.encrypts_at_once = encrypts_at_once
        self.refusal = 0  # the code that recipients are refused with
        self.raw: list[str] = []
        self.recipients: list[str] = []
        self.logins: list[bytes] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def letters(self) -> list[EmailMessage]:
        return [email.message_from_string(raw, policy=default) for raw in self.raw]


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self):
        answers = {
            "EHLO": self._greet,
            "STAR": self._start_tls,
            "AUTH": self._let_in,
            "RCPT": self._take_recipient,
            "DATA": self._take_letter,
            "QUIT": lambda _: "221 bye",
        }
        with suppress(OSError):  # they do not trust us, or have gone
            if self.server.encrypts_at_once:
                self._encrypt()
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                self._say(answers.get(verb, lambda _: "250 fine")(line))
                if verb == "QUIT":
                    return

    def finish(self):
        super().finish()
        self.request.close()  # the encrypted one, which the server does not know of

    def _greet(self, _line):
        return "250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS" if self.server.tls else "250 here"

    def _start_tls(self, _line):
        self._say("220 go on")
        self._encrypt()
        return ""

    def _let_in(self, line):
        self.server.logins.append(b64decode(line.split()[-1]))
        return "235 welcome"

    def _take_recipient(self, line):
        recipient = line.partition(":")[2]
        if self.server.refusal:
            return f"{self.server.refusal} nobody here is called {recipient}"
        self.server.recipients.append(recipient)
        return "250 fine"

    def _take_letter(self, _line):
        self._say("354 go on")
        raw = b"".join(iter(self.rfile.readline, b".\r\n"))
        self.server.raw.append(raw.decode().replace("\r\n", "\n"))
        return "250 fine"

    def _encrypt(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def _say(self, answer):
        if answer:
            self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def running_mailbox(
    certificate: Path | None = None, *, encrypts_at_once: bool = False
) -> Iterator[Mailbox]:
    """A mail server on a free port; with a certificate it offers STARTTLS, or speaks only TLS."""
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    with Mailbox(tls, encrypts_at_once=encrypts_at_once) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def make_certificate(file: Path) -> Path:
    """A key and its certificate for 127.0.0.1, which whoever is shown this file trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    return file
