"""The virus scanner of an installation that has one: ClamAV's daemon, asked with its INSTREAM command over a socket.

The protocol is in clamd(8): `zINSTREAM\\0`, chunks each after its length as four bytes in network order, a length of zero;
the answer is `stream: OK`, `stream: NAME FOUND`, or an error.
"""

from __future__ import annotations

import socket
import struct
from urllib.parse import urlsplit

from django.conf import settings

from kyc.errors import ScannerDown

_CHUNK = 1 << 16
_SECONDS = 30.0
_LONGEST_ANSWER = 1 << 12


def find_malware(data: bytes) -> str:
    """The name of what the scanner knows in a file, "" for nothing or where no scanner is set (`CLAMD_URL`).

    Raises ScannerDown when it does not answer or answers something else: nothing goes past a scanner that fails.
    """
    if not settings.CLAMD_URL:
        return ""
    try:
        answer = _ask(settings.CLAMD_URL, data)
    except OSError as error:
        raise ScannerDown from error
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerDown(data={"answer": answer[:200]})


def _ask(url: str, data: bytes) -> str:
    with _connect(url) as line:
        line.settimeout(_SECONDS)
        line.sendall(b"zINSTREAM\0")
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            line.sendall(struct.pack("!L", len(chunk)) + chunk)
        line.sendall(struct.pack("!L", 0))
        with line.makefile("rb") as reader:
            return reader.read(_LONGEST_ANSWER).rstrip(b"\0").decode("utf-8", "replace")


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname, parts.port or 3310), timeout=_SECONDS)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.connect(parts.path)
    except OSError:
        line.close()
        raise
    return line
