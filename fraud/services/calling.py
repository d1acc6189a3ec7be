"""One HTTPS request to an address that somebody outside chose: where it leads is looked at on each call.

The name is resolved here and the connection goes to the address that was checked, so a name that means something else a
moment later leads nowhere. Redirects are not followed, proxies not asked, and what is answered is not read.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Timer
from time import perf_counter

from fraud.rules.webhooks import Address, is_open

# Of one step, and of the whole call: an answer that trickles in must not hold a worker.
STEP_SECONDS = 5.0
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when nobody answered; `error` says why it was not taken, and is empty when it was."""

    status: int | None
    error: str
    took_ms: float


def post(address: Address, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send the body once. Whatever goes wrong is an answer, never an exception."""
    began = perf_counter()
    status, error = _posted(address, body, headers)
    return Answer(status, error, (perf_counter() - began) * 1000)


def _posted(address: Address, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None, "The name of the host is not known."
    numbers = [str(each[4][0]) for each in found]
    if not address.local and not all(map(is_open, numbers)):
        return None, "The name leads into a private network."
    connection = _Connection(address, numbers[0])
    watch = Timer(CALL_SECONDS, connection.break_off)
    watch.start()
    try:
        connection.request("POST", address.path, body, dict(headers))
        status = connection.getresponse().status
    except ssl.SSLError:
        return None, "The host's certificate cannot be trusted."
    except TimeoutError:
        return None, f"No answer within {STEP_SECONDS:g} seconds."
    except (OSError, HTTPException, ValueError):
        return None, "The connection failed."
    finally:
        watch.cancel()
        connection.close()
    if 200 <= status < 300:
        return status, ""
    return status, "Redirects are not followed." if 300 <= status < 400 else f"It answered {status}."


class _Connection(HTTPConnection):
    """To the number that was checked, in the name of the host."""

    def __init__(self, address: Address, number: str) -> None:
        super().__init__(address.host, address.port, timeout=STEP_SECONDS)
        self._number, self._tls = number, address.tls
        self.default_port = 443 if address.tls else 80

    def connect(self) -> None:
        self.sock = socket.create_connection((self._number, self.port), self.timeout)
        if self._tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def break_off(self) -> None:
        """End a call that takes too long, from another thread."""
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It ended at the same moment.
                return
