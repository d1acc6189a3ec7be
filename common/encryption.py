"""Sealing personal values at rest: AES-256-GCM with a key derived from SECRET_KEY, and a keyed digest to compare them.

A sealed value is bound to a context (which column of which row), so it cannot be moved to another row unnoticed.
Values sealed under an earlier SECRET_KEY open as long as that key stands in SECRET_KEY_FALLBACKS; digests do not match
across keys.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from common.errors import Unavailable

_VERSION = b"\x01"
_NONCE_BYTES = 12


class SealBroken(Unavailable):
    code = "seal_broken"
    message = "This value cannot be opened: it was changed, or sealed with another key."


@lru_cache(maxsize=8)
def _key(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"bankportal:{purpose}".encode()).derive(
        secret.encode()
    )


def seal(text: str, *, context: str) -> bytes:
    """Encrypt `text` for `context`, for example `kyc.application.document_number:<id>`."""
    nonce = os.urandom(_NONCE_BYTES)
    key = _key(settings.SECRET_KEY, "seal")
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, text.encode(), context.encode())


def unseal(sealed: bytes | memoryview, *, context: str) -> str:
    """The text of `seal` for the same context. Raises SealBroken when one bit or the context differs."""
    raw = bytes(sealed)
    nonce, body = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
    if raw[:1] == _VERSION and len(nonce) == _NONCE_BYTES:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return AESGCM(_key(secret, "seal")).decrypt(nonce, body, context.encode()).decode()
            except InvalidTag:
                continue
    raise SealBroken


def digest(text: str, *, context: str) -> str:
    """A keyed SHA-256 in hexadecimal: equal texts compare equal, and nobody without the key can try texts out."""
    return hmac.new(_key(settings.SECRET_KEY, "digest"), f"{context}\x00{text}".encode(), hashlib.sha256).hexdigest()
