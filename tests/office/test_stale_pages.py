"""A page that somebody left open while a colleague decided: it tells what happened and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from tests.kyc.helpers import pending

pytestmark = pytest.mark.django_db


def test_a_second_officer_learns_who_decided_the_identity_check(
    alice: Any, officer: Any, second_officer: Any, login: Any
) -> None:
    application = pending(alice)
    approve, reject, review = (
        reverse(f"admin:kyc_application_{page}", args=[application.pk]) for page in ("approve", "reject", "change")
    )
    first, second = login(officer), login(second_officer)
    assert second.get(reject).status_code == 200
    assert first.post(approve, {"reason": "All fits"}).status_code == 302
    given = {"kind": "RETRY", "public_reason": "The picture is not sharp enough.", "reason": "Blurred"}
    late = second.post(reject, given)
    assert late.status_code == 422
    application.refresh_from_db()
    assert (application.state, application.public_reason) == ("APPROVED", "")
    assert not AuditEvent.objects.filter(action="kyc.rejected").exists()
    again = second.get(reject, follow=True)
    assert again.redirect_chain == [(review, 302)]
    assert "the application is approved, by Carla Compliance" in again.content.decode()
