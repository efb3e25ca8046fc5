"""How a phone makes the codes it shows: docs/qr.md in Python, with the standard library alone.

    python -m examples.qr.phone 0001020304050607 000102…1f
    python -m examples.qr.phone --capsule AwB…   000102…1f

Use the server's time: keep how far it is from yours, from `issued_at` of the credential.
"""

import hmac
import sys
import time
from base64 import urlsafe_b64decode

STEP_S = 15
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def step_at(unix_time: float) -> int:
    """The step that a moment falls in, by the server's clock."""
    return int(unix_time // STEP_S)


def code_of(credential: bytes, seed: bytes, step: int) -> str:
    """The text to show as a QR in this step, from what `POST /v1/wallet/credentials` has given."""
    signed = b"\x01" + credential + step.to_bytes(4, "big")
    return base45(signed + hmac.digest(seed, signed, "sha256")[:15])


def shown_capsule(capsule: bytes, seed: bytes, step: int) -> str:
    """The same of a capsule, from what `POST /v1/wallet/capsules` has given."""
    shown = capsule + step.to_bytes(4, "big")
    return base45(shown + hmac.digest(seed, shown, "sha256")[:8])


def base45(raw: bytes) -> str:
    """Write bytes as in RFC 9285: two of them in three signs, a last one in two."""
    text = ""
    for at in range(0, len(raw), 2):
        pair = raw[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, sign = divmod(number, 45)
            text += SIGNS[sign]
    return text


def unpadded(text: str) -> bytes:
    """Read bytes as the interface writes a capsule: URL-safe Base64 without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(arguments: list[str]) -> str:
    """The code of this moment."""
    step = step_at(time.time())
    if arguments[0] == "--capsule":
        return shown_capsule(unpadded(arguments[1]), bytes.fromhex(arguments[2]), step)
    return code_of(bytes.fromhex(arguments[0]), bytes.fromhex(arguments[1]), step)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
