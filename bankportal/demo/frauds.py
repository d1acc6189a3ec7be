"""Invented banks with invented frauds, to measure the fraud engine on: the same for the same seed, another for another.

Ordinary customers have oddities that look like fraud now and then: new telephones, journeys, large purchases from
strangers, bursts of small payments, whole accounts emptied for a flat. Frauds follow five patterns of the field. Amounts
are in cents.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fraud.rules.facts import Channel, TransferType
from fraud.rules.features.arithmetic import CHANNEL_CODES, DAY_US, HOUR_US, SECOND_US, TYPE_CODES
from fraud.rules.features.replay import NEVER, Events

DAYS = 90
# Frauds begin when most customers have a past.
FIRST_FRAUD_DAY = 30
# A victim tells the bank after one to three days.
REPORTED_AFTER_DAYS = (1.0, 3.0)
MINUTE_US = 60 * SECOND_US
_START_US = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * SECOND_US
_MERCHANTS, _STRANGERS, _SHOPS_ONLINE = 400, 3000, 2000
_OWN_ACCOUNTS = 3 * 10**9


class Pattern(StrEnum):
    """How a fraud goes about it; ORDINARY is none."""

    ORDINARY = "ordinary"
    TAKEOVER = "takeover"
    MULE = "mule"
    CARD_TESTING = "card testing"
    SMURFING = "smurfing"
    PAYEE_SCAM = "payee scam"


FRAUDS = tuple(pattern for pattern in Pattern if pattern is not Pattern.ORDINARY)


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment; everybody and everything is a number."""

    at_us: int
    customer: int
    payee: int
    device: int
    ip: int
    amount_minor: int
    kind: TransferType = TransferType.INTERNAL
    channel: Channel = Channel.PORTAL
    away: bool = False
    pattern: Pattern = Pattern.ORDINARY


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """All payments of an invented bank, in order of time, and what each was."""

    events: Events
    patterns: NDArray[np.str_]

    @property
    def fraud(self) -> NDArray[np.int64]:
        return (self.patterns != Pattern.ORDINARY).astype(np.int64)


@dataclass(slots=True)
class _Customer:
    number: int
    device: int
    ip: int
    typical_minor: int
    often: float
    payees: list[int]
    joined_day: int
    late: bool


def invent(*, seed: int, customers: int, frauds_each: int) -> Bank:
    """A bank of so many customers with so many frauds of each pattern in 60 of its 90 days."""
    dice = random.Random(seed)  # noqa: S311 (plausible, not secret)
    people = [_person(number, dice) for number in range(customers)]
    made = [paid for person in people for paid in _life(person, dice)]
    crooks = _Crooks(dice)
    for pattern, commit in _WAYS.items():
        # Mules joined lately, the others' victims are anybody.
        pool = [person for person in people if (person.joined_day > FIRST_FRAUD_DAY) == (pattern is Pattern.MULE)]
        for victim in dice.choices(pool, k=frauds_each):
            day = dice.randrange(max(FIRST_FRAUD_DAY, victim.joined_day + 2), DAYS - 1)
            made += commit(victim, _START_US + day * DAY_US, crooks)
    made.sort(key=lambda paid: (paid.at_us, paid.customer))
    return Bank(_events(made, dice), np.array([paid.pattern.value for paid in made]))


def _person(number: int, dice: random.Random) -> _Customer:
    return _Customer(
        number=number,
        device=number,
        # Some share an address: families, offices, mobile networks.
        ip=number // dice.choice((1, 1, 1, 3, 20)),
        typical_minor=int(dice.lognormvariate(8.3, 0.5)),
        often=dice.choice((0.3, 0.6, 0.9, 1.5)),
        payees=[dice.randrange(_MERCHANTS) for _ in range(dice.randrange(4, 12))],
        joined_day=dice.choice((0, 0, 0, dice.randrange(FIRST_FRAUD_DAY + 1, DAYS - 10))),
        late=dice.random() < 0.05,
    )


def _life(person: _Customer, dice: random.Random) -> Iterator[Paid]:
    """Ninety ordinary days, with what makes honest people look suspicious."""
    device, away_until = person.device, -1
    for day in range(person.joined_day, DAYS):
        start = _START_US + day * DAY_US
        if dice.random() < 0.004:
            device = dice.randrange(10**6, 10**9)
        if dice.random() < 0.006:
            away_until = day + dice.randrange(3, 12)
        away = day < away_until
        ip = dice.randrange(10**6, 10**9) if away or dice.random() < 0.1 else person.ip

        def pay(
            payee: int,
            amount: float,
            at_us: int,
            *,
            kind: TransferType = TransferType.INTERNAL,
            channel: Channel = Channel.PORTAL,
            device: int = device,
            ip: int = ip,
            away: bool = away,
        ) -> Paid:
            return Paid(at_us, person.number, payee, device, ip, max(int(amount), 50), kind, channel, away)

        for _ in range(_poisson(person.often, dice)):
            card = dice.random() < 0.5
            known = dice.random() < 0.85
            payee = dice.choice(person.payees) if known else _stranger(dice)
            amount = person.typical_minor * dice.lognormvariate(-0.4, 0.7)
            if card:
                shop = _MERCHANTS + _STRANGERS + dice.randrange(_SHOPS_ONLINE)
                yield pay(shop, amount, _moment(person, start, dice), kind=TransferType.CARD, channel=Channel.GATEWAY)
            else:
                yield pay(payee, amount, _moment(person, start, dice))
        if day % 30 == 2:
            yield pay(person.payees[0], person.typical_minor * 14, start + 7 * HOUR_US, channel=Channel.ORDER)
        if dice.random() < 0.004:
            # A used car, a deposit, a craftsman: large, and to somebody new.
            yield pay(_stranger(dice), person.typical_minor * dice.uniform(12, 60), _moment(person, start, dice))
        if dice.random() < 0.003:
            begin = _moment(person, start, dice)
            for step in range(dice.randrange(4, 9)):
                yield pay(_stranger(dice), person.typical_minor * 0.3, begin + step * dice.randrange(1, 6) * MINUTE_US)
        if dice.random() < 0.01:
            yield pay(
                _OWN_ACCOUNTS + person.number,
                person.typical_minor * 20,
                _moment(person, start, dice),
                kind=TransferType.OWN,
            )


def _poisson(mean: float, dice: random.Random) -> int:
    return sum(dice.random() < mean / 5 for _ in range(5))


def _stranger(dice: random.Random) -> int:
    """Somebody whom other customers pay too, or nobody else does."""
    if dice.random() < 0.4:
        return dice.randrange(10**9, 2 * 10**9)
    return _MERCHANTS + dice.randrange(_STRANGERS)


def _moment(person: _Customer, start: int, dice: random.Random) -> int:
    hour = dice.triangular(0, 24, 1) if person.late else dice.triangular(7, 23, 17)
    return start + int(hour * HOUR_US)


class _Crooks:
    """What frauds are done with: accounts that take the money in, devices, addresses. A few serve two or three times."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self._used: dict[str, list[int]] = {"account": [], "device": [], "ip": []}

    def account(self) -> int:
        return self._one("account", again=0.3)

    def device(self) -> int:
        return self._one("device", again=0.2)

    def ip(self) -> int:
        return self._one("ip", again=0.3)

    def _one(self, thing: str, *, again: float) -> int:
        used = self._used[thing]
        if used and self.dice.random() < again:
            return self.dice.choice(used[-15:])
        used.append(self.dice.randrange(2 * 10**9, 3 * 10**9))
        return used[-1]


def _takeover(victim: _Customer, day: int, crooks: _Crooks) -> list[Paid]:
    """Somebody else signs in, often from abroad or at night, and sends money to one account, in parts. One in four does it
    through the victim's own computer."""
    dice, payee, device, ip = crooks.dice, crooks.account(), crooks.device(), crooks.ip()
    if remote := dice.random() < 0.25:
        device, ip = victim.device, victim.ip
    begin = day + int(dice.choice((dice.uniform(0, 6), dice.uniform(0, 24))) * HOUR_US)
    away = not remote and dice.random() < 0.6
    return [
        Paid(
            begin + step * dice.randrange(2, 12) * MINUTE_US,
            victim.number,
            payee,
            device,
            ip,
            int(victim.typical_minor * dice.lognormvariate(1.5, 1.0)),
            away=away,
            pattern=Pattern.TAKEOVER,
        )
        for step in range(dice.randrange(1, 5))
    ]


def _mule(victim: _Customer, day: int, crooks: _Crooks) -> list[Paid]:
    """A young account passes on what it got, within hours and in round parts, to accounts it never paid before."""
    dice = crooks.dice
    begin = day + int(dice.uniform(8, 20) * HOUR_US)
    return [
        Paid(
            begin + step * dice.randrange(10, 180) * MINUTE_US,
            victim.number,
            crooks.account(),
            victim.device,
            victim.ip,
            int(victim.typical_minor * dice.lognormvariate(1.0, 1.0)) // 10_00 * 10_00 + 10_00,
            pattern=Pattern.MULE,
        )
        for step in range(dice.randrange(3, 8))
    ]


def _card_testing(victim: _Customer, day: int, crooks: _Crooks) -> list[Paid]:
    """Stolen card numbers are tried with tiny amounts at many shops, and one that works buys something dear."""
    dice, device, ip = crooks.dice, crooks.device(), crooks.ip()
    at_us = day + int(dice.uniform(0, 23) * HOUR_US)
    made = []
    tries = dice.randrange(3, 16)
    patience = dice.choice((1, 1, 1, 60))
    for step in range(tries + 1):
        at_us += dice.randrange(5, 90) * SECOND_US * patience
        amount = dice.randrange(50, 9_00) if step < tries else dice.randrange(50_00, 900_00)
        shop = _MERCHANTS + _STRANGERS + dice.randrange(_SHOPS_ONLINE)
        paid = Paid(at_us, victim.number, shop, device, ip, amount, TransferType.CARD, Channel.GATEWAY)
        made.append(replace(paid, pattern=Pattern.CARD_TESTING))
    return made


def _smurfing(victim: _Customer, day: int, crooks: _Crooks) -> list[Paid]:
    """A large sum in many parts just below a limit, over days, to a few accounts."""
    dice = crooks.dice
    payees = [crooks.account() for _ in range(dice.randrange(1, 4))]
    limit = dice.choice((200_00, 500_00, 1000_00, 3000_00))
    at_us = day + int(dice.uniform(8, 12) * HOUR_US)
    made = []
    for _ in range(dice.randrange(8, 16)):
        at_us += dice.randrange(20, 500) * MINUTE_US
        amount = int(limit * dice.uniform(0.93, 0.995))
        paid = Paid(at_us, victim.number, dice.choice(payees), victim.device, victim.ip, amount)
        made.append(replace(paid, pattern=Pattern.SMURFING))
    return made


def _payee_scam(victim: _Customer, day: int, crooks: _Crooks) -> list[Paid]:
    """The customers themselves pay somebody who deceived them: from their own device, at an ordinary hour, and often again.
    What they pay can be as little as what they pay others."""
    dice, payee = crooks.dice, crooks.account()
    at_us = day + int(dice.uniform(9, 21) * HOUR_US)
    made = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        amount = int(victim.typical_minor * dice.lognormvariate(1.6, 1.1))
        paid = Paid(at_us, victim.number, payee, victim.device, victim.ip, amount)
        made.append(replace(paid, pattern=Pattern.PAYEE_SCAM))
        at_us += dice.randrange(30, 36 * 60) * MINUTE_US
    return made


_WAYS: dict[Pattern, Callable[[_Customer, int, _Crooks], list[Paid]]] = {
    Pattern.TAKEOVER: _takeover,
    Pattern.MULE: _mule,
    Pattern.CARD_TESTING: _card_testing,
    Pattern.SMURFING: _smurfing,
    Pattern.PAYEE_SCAM: _payee_scam,
}


def _events(made: Sequence[Paid], dice: random.Random) -> Events:
    yes = np.ones(len(made), dtype=bool)

    def column(read: Callable[[Paid], int]) -> NDArray[np.int64]:
        return np.array([read(paid) for paid in made], dtype=np.int64)

    def known(paid: Paid) -> int:
        reported = paid.at_us + int(dice.uniform(*REPORTED_AFTER_DAYS) * DAY_US)
        return NEVER if paid.pattern is Pattern.ORDINARY else reported

    return Events(
        at_us=column(lambda paid: paid.at_us),
        customer=column(lambda paid: paid.customer),
        account=column(lambda paid: paid.customer),
        payee=column(lambda paid: paid.payee),
        device=column(lambda paid: paid.device),
        ip=column(lambda paid: paid.ip),
        amount_minor=column(lambda paid: paid.amount_minor),
        type_code=column(lambda paid: TYPE_CODES[paid.kind]),
        channel_code=column(lambda paid: CHANNEL_CODES[paid.channel]),
        away=np.array([paid.away for paid in made], dtype=bool),
        requested=yes,
        settled=yes,
        known_us=column(known),
    )
