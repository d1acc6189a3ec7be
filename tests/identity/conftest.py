from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from identity.models import User


@pytest.fixture(autouse=True)
def mailbox(settings: Any) -> None:
    """Mail goes where it goes in an installation without SMTP."""
    settings.EMAIL_BACKEND = "notifications.mail.MailboxBackend"


@pytest.fixture
def totp(monkeypatch: pytest.MonkeyPatch) -> Callable[[User], str]:
    """Turns two-step verification on; gives the code of now. Now lasts: a code of thirty seconds ends in the middle of things."""
    step = int(time.time()) // 30
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.yield_hotp_counters_from_time", lambda: iter([step]))

    def activate(user: User) -> str:
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        return format_hotp_value(hotp_value(secret, step))

    return activate
