from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def mailbox(settings: Any) -> None:
    """Mail goes where it goes in an installation without SMTP."""
    settings.EMAIL_BACKEND = "notifications.mail.MailboxBackend"
