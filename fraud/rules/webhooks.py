"""Where a gateway may be told, and how what it is told is signed. Pure.

Whoever names an address makes this bank's workers call it. So it has to lie in the open internet: nothing here ever
speaks to a private network, to this machine, or to a cloud's metadata service, whatever a name is said to mean.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from common.errors import Invalid

LONGEST_URL = 300
# In a sandbox a gateway on the same machine is told too, also without TLS.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_TRANSLATED = ip_network("64:ff9b::/96")
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Address:
    """`path` with its query; `local` marks a sandbox's own machine."""

    host: str
    port: int
    path: str
    tls: bool
    local: bool


def address_of(url: str, *, sandbox: bool) -> Address:
    """Read the address of a webhook. Raises Invalid (field `url`) for one that is never called."""
    if not url or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise _refused(f"Give an address of up to {LONGEST_URL} plain characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("This is not an address.") from error
    host = (parts.hostname or "").lower().rstrip(".")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("Give an address such as https://shop.example/decisions, without a login or a fragment.")
    local = sandbox and host in LOCAL_HOSTS
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise _refused("The address has to begin with https://.")
    if port == 0:
        raise _refused("The port of this address cannot be called.")
    if not local and not all(map(is_open, _numbers(host))):
        raise _refused("This address leads into a private network; give one in the open internet.")
    if not local and ("." not in host and ":" not in host):
        raise _refused("Give the whole name of the host, such as shop.example.")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(host, port or (443 if tls else 80), path, tls, local)


def is_open(number: str) -> bool:
    """Whether an IP address lies in the open internet, also when it is wrapped in another one."""
    try:
        address: IPv4Address | IPv6Address = ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return address.is_global and not address.is_multicast


def _numbers(host: str) -> list[str]:
    """The IP address that a host is written as (decimal, octal and shortened ones too); nothing for a name. Asks nobody."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(each[4][0]) for each in found]


def _refused(text: str) -> Invalid:
    return Invalid(text, code="webhook_address", field="url")


def secret_for(key: bytes, webhook_id: str) -> str:
    """The secret that a gateway checks signatures with: 256 bits from the installation's own, so none is stored."""
    return "whsec_" + hmac.new(key, webhook_id.encode(), hashlib.sha256).hexdigest()


def signature(secret: str, body: bytes, *, at: int) -> str:
    """`t=<seconds since 1970>,v1=<HMAC-SHA-256 of the time, a dot and the body>`."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def wait_after(attempts: int) -> timedelta:
    """How long after so many attempts the next one comes: 20 seconds, 40, and so on up to an hour."""
    return min(FIRST_WAIT * 2 ** min(attempts, 12), LONGEST_WAIT)
