"""Payees, devices and addresses as keys: what one stored row says about the others of the same entity."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entities:
    """The first 64 bits of a hash, signed, as the database keeps them; None where nothing was told.

    `address` is the IP address itself, in its usual form.
    """

    beneficiary: int
    device: int | None
    ip: int | None
    address: str | None


def entities_of(*, beneficiary_ref: str, device: str, ip: str | None) -> Entities:
    """The keys of a payment. An address is known only when it is one."""
    address = address_of(ip or "")
    return Entities(
        beneficiary=key_of("beneficiary", beneficiary_ref),
        device=key_of("device", device[:200]) if device else None,
        ip=key_of("ip", address) if address else None,
        address=address,
    )


def address_of(text: str) -> str | None:
    """An IP address in its usual form, None for anything else."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def key_of(kind: str, value: str) -> int:
    """The first 64 bits of a hash of a thing of some kind, signed."""
    digest = hashlib.blake2b(f"{kind}:{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
