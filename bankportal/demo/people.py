"""The people of the demo bank: invented, plausible, the same on every machine."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

import factory
from faker import Faker

LOCALES = {"DE": "de_DE", "FR": "fr_FR", "NL": "nl_NL", "ES": "es_ES", "IT": "it_IT", "IE": "en_IE", "PT": "pt_PT"}
# Cities instead of Faker's: real places, so that an address reads as one.
CITIES = {
    "DE": [("Hamburg", "20095"), ("Leipzig", "04109"), ("Köln", "50667"), ("Freiburg", "79098")],
    "FR": [("Lyon", "69001"), ("Nantes", "44000"), ("Lille", "59000")],
    "NL": [("Utrecht", "3511 AA"), ("Rotterdam", "3011 AB"), ("Groningen", "9711 AA")],
    "ES": [("Valencia", "46001"), ("Sevilla", "41001"), ("Bilbao", "48001")],
    "IT": [("Torino", "10121"), ("Bologna", "40121"), ("Verona", "37121")],
    "IE": [("Cork", "T12 W8RK"), ("Galway", "H91 E2K3")],
    "PT": [("Porto", "4000-008"), ("Braga", "4700-030")],
}
OCCUPATIONS = [
    ("Nurse", 265_000), ("Software developer", 415_000), ("Teacher", 312_000), ("Electrician", 281_000),
    ("Designer", 268_000), ("Shop manager", 243_000), ("Accountant", 334_000), ("Bus driver", 229_000),
    ("Architect", 372_000), ("Physiotherapist", 257_000), ("Researcher", 305_000), ("Chef", 224_000),
]  # fmt: skip


# The people whose logins are printed have names that are easy to say.
FEATURED: dict[int, dict[str, str]] = {
    0: {"first_name": "Mira", "last_name": "Albrecht", "email": "mira@demo.example"},
    1: {"first_name": "Jonas", "last_name": "Berg", "email": "jonas@demo.example"},
    2: {"first_name": "Lena", "last_name": "Hartmann", "email": "lena@demo.example"},
    199: {"first_name": "Noor", "last_name": "Visser", "email": "new@demo.example"},
}
DIAL = {"DE": "+49 30", "FR": "+33 1", "NL": "+31 20", "ES": "+34 91", "IT": "+39 06", "IE": "+353 1", "PT": "+351 21"}


@dataclass(frozen=True, slots=True)
class Person:
    """`salary_minor` is a month's net pay in EUR cents; `index` numbers the people from zero."""

    index: int
    first_name: str
    last_name: str
    email: str
    date_of_birth: date
    country: str
    address: str
    city: str
    postcode: str
    phone: str
    occupation: str
    salary_minor: int
    document_number: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class PersonFactory(factory.Factory):
    """Builds a person from a seeded random source and a Faker of the person's country."""

    class Meta:
        model = Person
        exclude = ("source", "faker")

    index = 0
    country = "DE"
    first_name = factory.LazyAttribute(lambda made: made.faker.first_name().split(" ")[0])
    last_name = factory.LazyAttribute(lambda made: _surname(made.faker.last_name()))
    email = factory.LazyAttribute(
        lambda made: f"{_ascii(made.first_name)}.{_ascii(made.last_name)}{made.index}@demo.example"
    )
    date_of_birth = factory.LazyAttribute(
        lambda made: date(1958, 1, 1) + timedelta(days=made.source.randrange(45 * 365))
    )
    address = factory.LazyAttribute(lambda made: made.faker.street_address().replace("\n", ", "))
    city = ""
    postcode = ""
    phone = factory.LazyAttribute(lambda made: f"{DIAL[made.country]} 555 {made.source.randrange(10_000):04d}")
    occupation = ""
    salary_minor = 0
    document_number = factory.LazyAttribute(
        lambda made: "".join(made.source.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(9))
    )


def _surname(name: str) -> str:
    """Of two surnames the first; of "van der Berg" the word with a capital letter."""
    return next((word for word in name.split(" ") if word[0].isupper()), name)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalpha()) or "person"


def people(*, count: int, seed: int) -> list[Person]:
    """`count` people; the same seed gives the same people."""
    source = random.Random(seed)  # noqa: S311 - plausible, not secret
    fakers = {}
    for offset, (country, locale) in enumerate(sorted(LOCALES.items())):
        fakers[country] = Faker(locale)
        fakers[country].seed_instance(seed + offset)
    weights = {"DE": 6, "FR": 4, "NL": 4, "ES": 3, "IT": 3, "IE": 2, "PT": 2}
    made: list[Person] = []
    for index in range(count):
        known = FEATURED.get(index, {})
        country = source.choices(list(weights), weights=list(weights.values()))[0]
        city, postcode = source.choice(CITIES[country])
        occupation, base = source.choice(OCCUPATIONS)
        salary = round(base * source.uniform(0.86, 1.24), -2)
        made.append(
            PersonFactory.build(
                index=index,
                country=country,
                city=city,
                postcode=postcode,
                occupation=occupation,
                salary_minor=int(salary),
                source=source,
                faker=fakers[country],
                **known,
            )
        )
    return made
