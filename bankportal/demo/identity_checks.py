"""Identity checks of the demo bank: approved ones for customers, PENDING ones with documents for the review queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from tqdm import tqdm

from bankportal.demo.people import Person
from bankportal.demo.staff import stable_id
from identity.models import User
from kyc import services as kyc
from kyc.demo import render_specimens
from kyc.models import Application, State
from kyc.services.applications import fill


def details_of(person: Person, *, today: date) -> dict[str, Any]:
    """What a person tells in the wizard."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "date_of_birth": person.date_of_birth,
        "nationality": person.country,
        "document_kind": "PASSPORT",
        "document_country": person.country,
        "document_number": person.document_number,
        "document_expiry": today + timedelta(days=400 + person.index * 11),
        "address": person.address,
        "city": person.city,
        "postcode": person.postcode,
        "home_country": person.country,
        "phone": person.phone,
        "occupation": "EMPLOYED",
        "source_of_funds": "SALARY",
        "expected_monthly": "3K_TO_10K" if person.salary_minor >= 300_000 else "1K_TO_3K",
    }


def ensure_approved(*, persons: Sequence[Person], users: dict[int, User], officer: User, decided_at: datetime) -> None:
    """An approved application for each person, without files: these customers were checked before this portal."""
    known = set(Application.objects.filter(state=State.APPROVED).values_list("user_id", flat=True))
    Application.objects.bulk_create(
        _approved(person, users[person.index], officer, decided_at)
        for person in persons
        if users[person.index].pk not in known
    )


def _approved(person: Person, user: User, officer: User, decided_at: datetime) -> Application:
    application = Application(
        id=stable_id("kyc", person.index),
        user=user,
        state=State.APPROVED,
        created_at=decided_at,
        submitted_at=decided_at,
        decided_at=decided_at,
        decided_by=officer,
        expires_at=decided_at + timedelta(days=700),
    )
    fill(application, details_of(person, today=decided_at.date()))
    return application


@contextmanager
def submitted_meanwhile(
    *, persons: Sequence[Person], users: dict[int, User], end: datetime, quiet: bool
) -> Iterator[None]:
    """Applications waiting for a decision for some hours each, made in a thread beside what the caller does meanwhile.

    Each document is checked in a process of its own, so the thread mostly waits. The block ends when all are submitted;
    what failed there is raised here.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="identity-checks") as pool:
        jobs = [
            pool.submit(_submit, person, users[person.index], end, now=end - timedelta(hours=3 + 5 * place))
            for place, person in enumerate(persons)
        ]
        try:
            yield
            for job in tqdm(jobs, desc="Identity checks to review", unit="person", disable=quiet):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _submit(person: Person, user: User, end: datetime, *, now: datetime) -> None:
    """One application as the wizard makes it."""
    try:
        if Application.objects.filter(user=user).exclude(state=State.DRAFT).exists():
            return
        application = kyc.start_or_resume(actor=user, now=now)
        details = details_of(person, today=end.date())
        kyc.save_personal(actor=user, application_id=application.pk, details=details, now=now)
        specimens = render_specimens(
            full_name=person.full_name,
            date_of_birth=person.date_of_birth,
            number=person.document_number,
            address=f"{person.address}, {person.postcode} {person.city}",
            country=person.country,
            seed=person.index,
        )
        held = set(application.documents.values_list("kind", flat=True))
        for kind, data in specimens.items():
            if kind not in held:
                name = f"{kind.lower()}.jpg"
                kyc.add_document(actor=user, application_id=application.pk, kind=kind, data=data, name=name, now=now)
        kyc.submit(actor=user, application_id=application.pk, now=now)
    finally:
        # The thread's own connection.
        connection.close()
