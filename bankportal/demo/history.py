"""Ninety plausible days of money: pay, rent, shopping, friends, savings. Pure Python; every amount is in EUR cents."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from bankportal.demo.people import Person

DAYS = 90
EMPLOYERS = [
    "Nordlicht Studio",
    "Hafen Klinik",
    "Atelier Vert",
    "Van Dijk Logistics",
    "Casa Verde Foods",
    "Liffey Software",
]
SHOPS = [
    ("Corner Grocery", 1_200, 9_800), ("Baker's Table", 380, 1_650), ("City Transit", 290, 4_900),
    ("Green Pharmacy", 650, 4_200), ("Book Harbour", 900, 5_400), ("Cinema Lux", 1_100, 3_600),
    ("Trattoria Nove", 1_800, 8_900), ("Bike Workshop", 2_500, 14_500),
]  # fmt: skip
REASONS = ["Dinner", "Concert tickets", "Shared taxi", "Birthday present", "Weekend trip", "Groceries", "Football fees"]


class Flow(StrEnum):
    PAY = "PAY"
    SPEND = "SPEND"
    FRIEND = "FRIEND"
    SAVE = "SAVE"


@dataclass(frozen=True, slots=True)
class Movement:
    """`person` pays (or is paid, for PAY); `friend` receives for FRIEND. Amounts in cents."""

    at: datetime
    flow: Flow
    person: int
    friend: int | None
    amount_minor: int
    text: str


def opening_minor(person: Person, source: random.Random) -> int:
    """The deposit with which a current account was opened."""
    return int(round(person.salary_minor * source.uniform(0.6, 1.6), -2))


def movements(
    *, persons: Sequence[Person], openings: Sequence[int], savers: set[int], end: datetime, seed: int
) -> list[Movement]:
    """All movements of the 90 days before `end`, in time order. No current account goes below zero at any moment."""
    source = random.Random(seed)  # noqa: S311 - plausible, not secret
    circles = {
        person.index: source.sample([other.index for other in persons if other is not person], k=4)
        for person in persons
    }
    wishes: list[Movement] = []
    for person in persons:
        wishes += _life_of(person, circles[person.index], person.index in savers, end, source)
    wishes.sort(key=lambda movement: (movement.at, movement.person))
    return _affordable(wishes, {person.index: openings[person.index] for person in persons})


def _life_of(person: Person, circle: list[int], saves: bool, end: datetime, source: random.Random) -> list[Movement]:
    employer = source.choice(EMPLOYERS)
    rent = int(round(person.salary_minor * source.uniform(0.24, 0.36), -2))
    payday = source.randrange(24, 29)
    made: list[Movement] = []

    def add(at: datetime, flow: Flow, amount: int, text: str, friend: int | None = None) -> None:
        if at < end:
            made.append(Movement(at, flow, person.index, friend, amount, text))

    for back in range(DAYS, 0, -1):
        day = (end - timedelta(days=back)).date()
        if day.day == payday:
            add(_moment(day, 6, source), Flow.PAY, person.salary_minor, f"Salary {employer}")
        if day.day == 2:
            add(_moment(day, 7, source), Flow.SPEND, rent, "Rent")
        if day.day == 12:
            add(_moment(day, 8, source), Flow.SPEND, source.randrange(4_500, 12_500), "Electricity and heating")
        if saves and day.day == 28:
            add(_moment(day, 9, source), Flow.SAVE, int(round(person.salary_minor * 0.08, -3)), "To savings")
        if source.random() < (0.42 if day.weekday() >= 5 else 0.27):
            shop, low, high = source.choice(SHOPS)
            add(_moment(day, source.randrange(9, 21), source), Flow.SPEND, source.randrange(low, high), shop)
        if source.random() < 0.075:
            friend = source.choice(circle)
            amount = source.choice([source.randrange(800, 6_500), source.randrange(10, 90) * 100])
            add(_moment(day, source.randrange(10, 22), source), Flow.FRIEND, amount, source.choice(REASONS), friend)
    return made


def _moment(day: date, hour: int, source: random.Random) -> datetime:
    return datetime.combine(day, time(hour, source.randrange(60), source.randrange(60)), tzinfo=UTC)


def _affordable(wishes: Sequence[Movement], balances: dict[int, int]) -> list[Movement]:
    kept = []
    for movement in wishes:
        if movement.flow is Flow.PAY:
            balances[movement.person] += movement.amount_minor
        elif balances[movement.person] < movement.amount_minor:
            continue
        else:
            balances[movement.person] -= movement.amount_minor
            if movement.friend is not None:
                balances[movement.friend] += movement.amount_minor
        kept.append(movement)
    return kept
