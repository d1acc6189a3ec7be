"""Block and allow lists and snoozes: what they say about one payment. Pure, so that the past is asked as the present is."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from common import geography
from common.errors import Invalid
from fraud.rules.entities import address_of, key_of


class Listing(StrEnum):
    BLOCK = "BLOCK"
    ALLOW = "ALLOW"


class ListKind(StrEnum):
    PAYEE = "PAYEE"
    DEVICE = "DEVICE"
    NETWORK = "NETWORK"
    COUNTRY = "COUNTRY"


# A payment is looked up once for each length in use, so lengths are few: all of IPv4 from /8, every fourth of IPv6.
LENGTHS: Mapping[int, tuple[int, ...]] = {4: tuple(range(8, 33)), 6: tuple(range(16, 129, 4))}
SHAPES: tuple[str, ...] = (
    ListKind.PAYEE,
    ListKind.DEVICE,
    ListKind.COUNTRY,
    *(f"NETWORK{family}/{length}" for family, lengths in LENGTHS.items() for length in lengths),
)


@dataclass(frozen=True, slots=True)
class Value:
    """What an entry names, in the one form in which it is kept; `shape` says how a payment is looked up by it."""

    text: str
    shape: str

    @property
    def key(self) -> int:
        return key_of(f"list {self.shape}", self.text)


def value_of(kind: str, text: str) -> Value:
    """Read what somebody typed. Raises Invalid at the field `values`."""
    plain = text.strip()
    if kind == ListKind.NETWORK:
        return _network(plain)
    if kind == ListKind.COUNTRY:
        code = plain.upper()
        if code not in dict(geography.countries()):
            raise Invalid(f"“{plain[:40]}” is not a country: give two letters, such as DE.", field="values")
        return Value(code, ListKind.COUNTRY)
    if not plain or len(plain) > 200 or any(ord(letter) < 32 for letter in plain):
        raise Invalid("Give 1 to 200 characters.", field="values")
    return Value(plain, ListKind(kind))


def _network(text: str) -> Value:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        hint = _meant(text)
        raise Invalid(f"“{text[:60]}” is not an address or a network{hint}.", field="values") from error
    if network.prefixlen not in LENGTHS[network.version]:
        allowed = "/8 to /32" if network.version == 4 else "/16, /20, /24 and so on up to /128"
        raise Invalid(f"“{text[:60]}” covers too much, or ends between: use {allowed}.", field="values")
    return Value(str(network), f"NETWORK{network.version}/{network.prefixlen}")


def _meant(text: str) -> str:
    try:
        return f"; did you mean {ipaddress.ip_network(text, strict=False)}?"
    except ValueError:
        return ", such as 203.0.113.9 or 203.0.113.0/24"


@dataclass(frozen=True, slots=True)
class Told:
    """What a payment tells that a list may name."""

    beneficiary_ref: str
    device: str
    ip: str
    country: str


def keys_of(told: Told, shapes: Iterable[str]) -> list[int]:
    """The keys under which entries of these shapes would name the payment."""
    address = address_of(told.ip)
    ip = ipaddress.ip_address(address) if address else None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    plain = {
        ListKind.PAYEE: told.beneficiary_ref.strip(),
        ListKind.DEVICE: told.device[:200].strip(),
        ListKind.COUNTRY: told.country,
    }
    found = []
    for shape in shapes:
        if shape in plain:
            text = plain[ListKind(shape)]
        elif ip is not None and shape.startswith(f"NETWORK{ip.version}/"):
            spare = ip.max_prefixlen - int(shape.partition("/")[2])
            text = str(ipaddress.ip_network(((int(ip) >> spare) << spare, ip.max_prefixlen - spare)))
        else:
            continue
        if text:
            found.append(Value(text, shape).key)
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in force during `[from_at, until)`; `until` None: no end. `rules` are those an ALLOW entry silences."""

    id: uuid.UUID
    key: int
    listing: str
    shown: str
    reason: str
    rules: tuple[str, ...]
    from_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A rule that is quiet for one customer or account during `[from_at, until)`."""

    id: uuid.UUID
    holder_id: uuid.UUID
    code: str
    from_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What lists and snoozes say about one payment: entries that block it, and by code the rules made quiet and by what."""

    blocked: tuple[Entry, ...] = ()
    silenced: Mapping[str, tuple[str, uuid.UUID]] = field(default_factory=dict)


NOTHING_SAID = Standing()


def standing(
    *,
    entries: Iterable[Entry],
    snoozes: Iterable[Snoozed],
    keys: Iterable[int],
    holders: Iterable[uuid.UUID],
    at: datetime,
) -> Standing:
    """What is in force at a moment for a payment with these keys, of this customer and account."""
    named, of = frozenset(keys), frozenset(holders)
    fitting = [entry for entry in entries if entry.key in named and _in_force(entry.from_at, entry.until, at)]
    silenced = {
        code: ("ALLOWED", entry.id) for entry in fitting if entry.listing == Listing.ALLOW for code in entry.rules
    }
    for snooze in snoozes:
        if snooze.holder_id in of and _in_force(snooze.from_at, snooze.until, at):
            silenced[snooze.code] = ("SNOOZED", snooze.id)
    blocked = tuple(entry for entry in fitting if entry.listing == Listing.BLOCK)
    return Standing(blocked, silenced) if blocked or silenced else NOTHING_SAID


def _in_force(from_at: datetime, until: datetime | None, at: datetime) -> bool:
    return from_at <= at and (until is None or at < until)
