"""Applicants for tests: made directly in the state that a test needs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import factory
from django.utils import timezone

from identity.models import User
from identity.permissions import Role
from kyc.models import Application, State
from kyc.services.applications import fill
from tests.conftest import make_user

DETAILS: dict[str, Any] = {
    "first_name": "Alice",
    "last_name": "Archer",
    "date_of_birth": date(1990, 4, 12),
    "nationality": "DE",
    "document_kind": "ID_CARD",
    "document_country": "DE",
    "document_number": "L01X00T471",
    "document_expiry": date(2040, 1, 31),
    "address": "Lindenstrasse 12",
    "city": "Berlin",
    "postcode": "10969",
    "home_country": "DE",
    "phone": "+493012345678",
    "occupation": "EMPLOYED",
    "source_of_funds": "SALARY",
    "expected_monthly": "1K_TO_3K",
}


class ApplicationFactory(factory.django.DjangoModelFactory):
    """A complete draft without documents; `details` overrides personal data."""

    class Meta:
        model = Application

    user = factory.LazyFunction(lambda: None)
    state = State.DRAFT
    created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda made: made.created_at + timedelta(days=30))

    @classmethod
    def _create(cls, model_class: type[Application], *args: Any, **kwargs: Any) -> Application:
        details = {**DETAILS, **kwargs.pop("details", {})}
        application = model_class(**kwargs)
        fill(application, details)
        application.save(force_insert=True)
        return application


def _reviewer() -> User:
    found = User.objects.filter(email="kyc-reviewer@bank.example").first()
    return found or make_user("kyc-reviewer@bank.example", Role.COMPLIANCE, name="Rita Reviewer")


def approve_kyc(user: User, country: str = "DE", **fields: Any) -> Application:
    """Make `user` a customer whose identity is confirmed, living in `country`."""
    now = timezone.now()
    first, _, last = (user.full_name or "Alice Archer").partition(" ")
    details = {
        "first_name": first,
        "last_name": last or "Archer",
        "nationality": country,
        "document_kind": "PASSPORT",
        "document_country": country,
        "document_number": f"P{user.pk:08d}",
        "home_country": country,
    }
    return ApplicationFactory(
        user=user,
        details=details,
        state=State.APPROVED,
        submitted_at=now,
        decided_at=now,
        decided_by=_reviewer(),
        expires_at=now + timedelta(days=365),
        **fields,
    )
