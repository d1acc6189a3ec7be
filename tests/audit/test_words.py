"""The trail in the back office speaks in words and leads to what it is about."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from audit import services
from audit.models import AuditEvent
from audit.rules.actions import ACTIONS, told
from common.subjects import SUBJECTS, page_of
from identity.models import User
from identity.permissions import Role
from tests.conftest import make_user

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
# What writes to the trail: `audit.record`, `events.about`, `events.emit` and the apps' own short ways to them.
WRITERS = {"record", "about", "Event", "_audit", "_record", "_tell", "record_failed_sign_in"}


def recorded() -> Iterator[tuple[str, str]]:
    """Each action that stands as a text in a call that writes to the trail, with its place."""
    for folder in (
        "bankportal",
        "payments",
        "loans",
        "reconciliation",
        "accounts",
        "kyc",
        "fraud",
        "audit",
        "identity",
    ):
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in WRITERS:
                    for given in (*call.args, *(each.value for each in call.keywords if each.arg == "action")):
                        if (
                            isinstance(given, ast.Constant)
                            and isinstance(given.value, str)
                            and ACTION.fullmatch(given.value)
                        ):
                            yield given.value, f"{path.name}:{given.lineno}"


def test_each_action_that_is_recorded_has_words() -> None:
    found = dict(recorded())
    assert len(found) > 30
    assert {action: place for action, place in found.items() if action not in ACTIONS} == {}


def test_an_action_of_later_is_told_by_its_name() -> None:
    assert told("loan.paid_out") == "Loan: paid out"


@pytest.mark.django_db
def test_each_page_of_a_subject_exists() -> None:
    for kind, subject in SUBJECTS.items():
        assert bool(page_of(kind, "1", lambda _: True)) == bool(subject.page), kind
        assert page_of(kind, "1", lambda _: False) == ""


@pytest.mark.django_db
def test_the_trail_tells_who_did_what_to_what(alice: User, login: Callable[[User], Client]) -> None:
    with transaction.atomic():
        services.record(
            actor=alice, action="identity.pin_set", subject_kind="user", subject_id=alice.public_id, data={"a": "<b>"}
        )
        services.record(actor=None, action="kyc.approved", subject_kind="kyc_application", subject_id=alice.public_id)
    auditor = login(make_user("auditor@bank.example", Role.AUDITOR))
    listed = auditor.get("/admin/audit/auditevent/?action=identity.pin_set").content.decode()
    assert "Set a PIN" in listed
    about = f"/admin/identity/user/{alice.public_id}/change/"
    assert f'href="{about}"' in listed
    assert auditor.get(about).headers["Location"] == f"/admin/identity/user/{alice.pk}/change/"
    event = AuditEvent.objects.get(action="identity.pin_set")
    page = auditor.get(f"/admin/audit/auditevent/{event.pk}/change/").content.decode()
    assert "Set a PIN" in page
    assert "&lt;b&gt;" in page


@pytest.mark.django_db
def test_a_reader_gets_no_link_to_a_page_that_is_closed_to_them(alice: User, login: Callable[[User], Client]) -> None:
    with transaction.atomic():
        services.record(actor=None, action="kyc.approved", subject_kind="kyc_application", subject_id=alice.public_id)
    administrator = login(make_user("root@bank.example", Role.ADMINISTRATOR))
    listed = administrator.get("/admin/audit/auditevent/?subject_kind=kyc_application").content.decode()
    assert "Confirmed an identity" in listed
    assert "/admin/kyc/application/" not in listed
    assert (
        administrator.get(f"/admin/identity/user/{'0' * 8}-{'0' * 4}-4000-8000-{'0' * 12}/change/").status_code == 404
    )
