"""No page of the back office is wider than a phone: 390 and 320 px. Every page that opens by GET, in one walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from identity.models import User
from tests.browser import steps
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.security import office
from tests.security.test_roles import WALKED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_process")]
WIDTHS = (390, 320)
# Answers that are no page of the back office.
FILES = ("kyc/application/document/",)


def walked(things: office.Things) -> list[str]:
    """The addresses of pages to look at; the short address of a row leads to one of them."""
    found = [reverse("admin:index")]
    for route in WALKED:
        inner = route.removeprefix("admin/")
        page = office.PAGES.get(inner)
        if (page is not None and page.post_only) or inner.startswith(FILES):
            continue
        if office.expected_right(route) is not None and (page is not None or not inner.endswith("<path:object_id>/")):
            found.append(things.address(route))
    return found


def test_no_page_of_the_back_office_is_wider_than_a_phone(new_page: Callable[..., Any], alice: User) -> None:
    things = office.furnish(alice)
    page = new_page(phone=True)
    steps.sign_in(page, office.superuser())
    wide, looked_at = [], 0
    for address in walked(things):
        answer = page.goto(address)
        assert answer.status == 200, address
        looked_at += 1
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                wide.append(f"{address} needs {needed} px of {width}")
    assert looked_at > 80
    assert wide == []
