"""What a person tells about themselves: read, tidied and checked, all fields at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from common import geography
from kyc.rules import limits, numbers

DOCUMENT_KINDS = {
    "PASSPORT": "Passport",
    "ID_CARD": "National identity card",
    "RESIDENCE_PERMIT": "Residence permit",
}
OCCUPATIONS = {
    "EMPLOYED": "Employed",
    "SELF_EMPLOYED": "Self-employed",
    "PUBLIC_SERVICE": "Public service",
    "STUDENT": "Student or trainee",
    "RETIRED": "Retired",
    "HOMEMAKER": "At home",
    "UNEMPLOYED": "Between jobs",
    "OTHER": "Something else",
}
FUNDS = {
    "SALARY": "Salary or wages",
    "BUSINESS": "Income from my business",
    "PENSION": "Pension or benefits",
    "SAVINGS": "Savings",
    "INVESTMENTS": "Investments or rent",
    "FAMILY": "Support from family",
    "OTHER": "Something else",
}
MONTHLY_AMOUNTS = {
    "UNDER_1K": "Under 1,000",
    "1K_TO_3K": "1,000 to 3,000",
    "3K_TO_10K": "3,000 to 10,000",
    "10K_TO_50K": "10,000 to 50,000",
    "OVER_50K": "Over 50,000",
}
CHOICES = {
    "document_kind": DOCUMENT_KINDS,
    "occupation": OCCUPATIONS,
    "source_of_funds": FUNDS,
    "expected_monthly": MONTHLY_AMOUNTS,
}
COUNTRY_FIELDS = ("nationality", "document_country", "home_country")
DATE_FIELDS = ("date_of_birth", "document_expiry")
TEXT_LIMITS = {
    "first_name": 80,
    "last_name": 80,
    "document_number": 30,
    "address": 160,
    "city": 80,
    "postcode": 16,
    "phone": 20,
}
FIELDS = (
    "first_name",
    "last_name",
    "date_of_birth",
    "nationality",
    "document_kind",
    "document_country",
    "document_number",
    "document_expiry",
    "address",
    "city",
    "postcode",
    "home_country",
    "phone",
    "occupation",
    "source_of_funds",
    "expected_monthly",
)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'’\u2010-]){0,79}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_POSTCODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,14}[A-Z0-9])?", re.ASCII)
# Characters that turn the direction of text or hide: they have no place in a name or an address.
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that needs another value; `code` is stable, `message` is for people."""

    field: str
    code: str
    message: str


def age_on(born: date, day: date) -> int:
    """Completed years of life. Someone born on 29 February turns a year older on 1 March in common years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def tidy(details: Mapping[str, Any]) -> dict[str, Any]:
    """Known fields only; texts normalised (NFC, single blanks), codes in upper case."""
    tidied: dict[str, Any] = {}
    for field in FIELDS:
        if field not in details:
            continue
        value = details[field]
        if isinstance(value, str):
            value = " ".join(unicodedata.normalize("NFC", value).split())
            if field in COUNTRY_FIELDS or field == "postcode":
                value = value.upper()
            elif field == "document_number":
                value = numbers.normalise(value)
            elif field == "phone":
                value = re.sub(r"[ ()./-]", "", value)
                value = "+" + value[2:] if value.startswith("00") else value
        tidied[field] = value
    return tidied


def check(details: Mapping[str, Any], *, today: date) -> list[Problem]:
    """Every problem of tidied details, in the order of the form; a missing field is a problem of code `required`."""
    problems: list[Problem] = []
    for field in FIELDS:
        value = details.get(field)
        if value in (None, ""):
            problems.append(Problem(field, "required", "Fill in this field."))
            continue
        problem = _check_field(field, value, today)
        if problem:
            problems.append(problem)
    faulty = {problem.field for problem in problems}
    if "document_number" not in faulty:
        known = not faulty & {"document_kind", "document_country"}
        problems.extend(_check_number(details if known else {"document_number": details["document_number"]}))
    return sorted(problems, key=lambda problem: FIELDS.index(problem.field))


def _check_field(field: str, value: Any, today: date) -> Problem | None:
    if field in DATE_FIELDS:
        if not isinstance(value, date):
            return Problem(field, "invalid_date", "Enter a date.")
        return _check_born(value, today) if field == "date_of_birth" else _check_expiry(value, today)
    if not isinstance(value, str):
        return Problem(field, "invalid", "Enter text.")
    if field in CHOICES:
        return None if value in CHOICES[field] else Problem(field, "invalid_choice", "Choose one from the list.")
    if field in COUNTRY_FIELDS:
        known = any(code == value for code, _ in geography.countries())
        return None if known else Problem(field, "unknown_country", "Choose a country from the list.")
    return _check_text(field, value)


def _check_text(field: str, value: str) -> Problem | None:
    if len(value) > TEXT_LIMITS[field]:
        return Problem(field, "too_long", f"Use at most {TEXT_LIMITS[field]} characters.")
    if any(unicodedata.category(character) in _HIDDEN for character in value):
        return Problem(field, "hidden_character", "Remove hidden characters from this text.")
    if field in {"first_name", "last_name", "city"} and not _NAME.fullmatch(value):
        return Problem(field, "invalid_name", "Use letters, blanks, hyphens and apostrophes.")
    if field == "postcode" and not _POSTCODE.fullmatch(value):
        return Problem(field, "invalid_postcode", "Use letters, digits, blanks and hyphens.")
    if field == "address" and not (len(value) >= 4 and any(character.isalpha() for character in value)):
        return Problem(field, "invalid_address", "Enter street and number.")
    if field == "phone" and not _PHONE.fullmatch(value):
        return Problem(field, "invalid_phone", "Enter the number with its country code, such as +49 30 1234567.")
    return None


def _check_born(born: date, today: date) -> Problem | None:
    if born > today:
        return Problem("date_of_birth", "in_the_future", "This day has not come yet.")
    age = age_on(born, today)
    if age < limits.MINIMUM_AGE_YEARS:
        return Problem(
            "date_of_birth", "too_young", f"You must be {limits.MINIMUM_AGE_YEARS} or older to bank with us."
        )
    return Problem("date_of_birth", "too_old", "Check the year.") if age > 120 else None


def _check_expiry(expiry: date, today: date) -> Problem | None:
    if expiry <= today:
        return Problem("document_expiry", "document_expired", "This document has expired. Use one that is valid.")
    if expiry.year > today.year + 50:
        return Problem("document_expiry", "too_far", "Check the year.")
    return None


def _check_number(details: Mapping[str, Any]) -> list[Problem]:
    found = numbers.check(
        number=details["document_number"],
        country=details.get("document_country", ""),
        kind=details.get("document_kind", ""),
    )
    if found.outcome == "MALFORMED":
        return [Problem("document_number", "malformed_number", "Use the 5 to 30 letters and digits of your document.")]
    if found.outcome == "DOES_NOT_FIT":
        text = f"This is not a valid {found.scheme}: its check digit does not fit. Compare it with your document."
        return [Problem("document_number", "check_digit", text)]
    return []
