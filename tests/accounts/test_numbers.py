"""Account numbers catch what people get wrong when they type."""

from __future__ import annotations

import random
from uuid import UUID, uuid4

import pytest

from accounts.rules import numbers
from tests.dice import SEED


@pytest.fixture
def seeded() -> random.Random:
    return random.Random(SEED)


def number(source: random.Random) -> str:
    return numbers.from_uuid(UUID(int=source.getrandbits(128), version=4))


def test_every_number_has_one_shape_and_is_valid() -> None:
    for _ in range(2000):
        made = numbers.from_uuid(uuid4())
        assert len(made) == numbers.LENGTH == 16
        assert made.startswith("BP")
        assert made[2:].isdigit()
        assert numbers.is_valid(made)


def test_a_worked_number() -> None:
    # 000000000077 followed by BP (11 25) and 00: 771125 00 mod 97 = 22, and 98 - 22 = 76.
    assert (77112500 % 97, numbers.from_uuid(UUID(int=77))) == (22, "BP76000000000077")


def test_catches_every_single_wrong_digit(seeded: random.Random) -> None:
    for _ in range(60):
        made = number(seeded)
        for place in range(2, numbers.LENGTH):
            for digit in set("0123456789") - {made[place]}:
                assert not numbers.is_valid(made[:place] + digit + made[place + 1 :])


def test_catches_every_swap_of_two_digits(seeded: random.Random) -> None:
    for _ in range(200):
        made = number(seeded)
        for left in range(2, numbers.LENGTH - 1):
            swapped = list(made)
            swapped[left], swapped[left + 1] = swapped[left + 1], swapped[left]
            assert made[left] == made[left + 1] or not numbers.is_valid("".join(swapped))


@pytest.mark.parametrize(
    "text", ["", "BP", "BP7900000000007", "BP760000000000770", "XX79000000000077", "BP79 0000", "BP٧٩000000000077"]
)
def test_refuses_other_shapes(text: str) -> None:
    assert not numbers.is_valid(text)


def test_the_second_spelling_of_a_remainder_is_refused(seeded: random.Random) -> None:
    """Check digits 00, 01 and 99 satisfy MOD 97 for some bodies and are never issued."""
    for _ in range(3000):
        made = number(seeded)
        assert 2 <= int(made[2:4]) <= 98
        for digits in ("00", "01", "99"):
            assert not numbers.is_valid(f"BP{digits}{made[4:]}")


def test_reads_what_people_write() -> None:
    for written in ["bp76 0000 0000 0077", "BP76-0000-0000-0077", " BP76\u00a00000.0000 0077 "]:
        assert numbers.normalise(written) == "BP76000000000077"


def test_masks_all_but_the_last_four() -> None:
    assert numbers.masked("BP79000000001234") == "•••• 1234"
    assert numbers.grouped("BP79000000001234") == "BP79 0000 0000 1234"
