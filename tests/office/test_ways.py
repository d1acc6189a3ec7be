"""Where the back office leads: from a figure to what it counted, and the trail at the head of a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from identity.models import User
from identity.permissions import Role
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_the_figure_of_new_customers_leads_to_just_these(login: Login, teller: User, alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(date_joined=timezone.now() - timedelta(days=2))
    client = login(teller)
    start = client.get("/admin/").content.decode()
    url = unescape(re.findall(r'href="(/admin/identity/user/\?role=customer[^"]*)"', start)[0])
    listed = client.get(url).content.decode()
    assert alice.email in listed
    assert bob.email not in listed
    assert f'href="/admin/identity/user/{teller.pk}/' not in listed


def test_the_head_of_a_decision_ends_with_its_name(login: Login, alice: User) -> None:
    page = login(make_user("root@bank.example", Role.ADMINISTRATOR)).get(f"/admin/identity/user/{alice.pk}/roles/")
    head = page.content.decode().partition("<h1")[2].partition("</h1>")[0]
    parts = [text.strip() for text in re.findall(r">([^<>]+)<", head) if text.strip()]
    assert parts == ["Identity", "chevron_right", "Users", "chevron_right", f"Assign roles to {alice}"]


@pytest.mark.parametrize("key", ["not-a-uuid", "00000000-0000-4000-8000-000000000000", "1"])
def test_nothing_has_a_page_on_the_site(login: Login, teller: User, key: str) -> None:
    kind = ContentType.objects.get(app_label="payments", model="payment")
    assert login(teller).get(f"/admin/r/{kind.pk}/{key}/").status_code == 404
