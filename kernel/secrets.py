"""Keys, tokens and sealed values, all derived from the one SECRET_KEY.

One purpose, one key: what signs QR tokens cannot open personal data.
"""

import hashlib
import hmac
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from kernel.config import config

_NONCE = 12
_slow = PasswordHasher()


@cache
def key_for(purpose: str) -> bytes:
    """Derive the 32-byte key of one purpose from SECRET_KEY."""
    # Where it is used, here and below: it brings OpenSSL along, 6 MB that most workers never need.
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return derive.derive(config().secret_key)


def mac(purpose: str, message: bytes) -> bytes:
    """HMAC-SHA256 of a message under the key of one purpose."""
    return hmac.digest(key_for(purpose), message, "sha256")


def new_token(prefix: str) -> str:
    """A fresh opaque token; its prefix tells the kinds apart (`mem_`, `shf_`, …)."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token. Tokens have 256 bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def seal(key: bytes, plain: bytes) -> bytes:
    """Encrypt under AES-256-GCM with a random nonce in front."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Open what `seal` closed."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)


def slow_hash(secret: str) -> str:
    """Argon2id of a PIN or password. 50 ms and more: never once per request."""
    return _slow.hash(secret)


def slow_match(hashed: str, secret: str) -> bool:
    """Whether a PIN or password fits its hash, in constant time."""
    try:
        return _slow.verify(hashed, secret)
    except VerifyMismatchError:
        return False
