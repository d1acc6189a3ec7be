"""What an API key proves and allows, as a header of its own and as HTTP Basic."""

from __future__ import annotations

import base64

import pytest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from identity import services
from identity.authentication import ApiKeyAuthentication
from identity.models import User
from identity.permissions import PERMISSIONS
from tests.conftest import PASSWORD

ME = "/api/v1/auth/me"


def basic(told: bytes) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Basic " + base64.b64encode(told).decode())
    return client


def test_a_key_may_come_as_basic_with_its_id_and_secret(administrator: User) -> None:
    issued = services.create_api_client(actor=administrator, name="Till", scopes=["deposits:write"], now=timezone.now())
    key_id, secret = issued.key.split(".")
    assert basic(f"{key_id}:{secret}".encode()).get(ME).json()["email"] == issued.client.user.email
    for wrong in (f"{key_id}:{secret}x", f"{key_id}:", f":{secret}", key_id, issued.key, ":", ""):
        answer = basic(wrong.encode()).get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_api_key"), wrong
    services.revoke_api_client(actor=administrator, client_id=issued.client.pk, reason="No longer used")
    assert basic(f"{key_id}:{secret}".encode()).get(ME).status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic ???", "basic \u00ff", "Basic /w==", "Basic " + "A" * 5000, "Basic ADoA"]
)
def test_an_unreadable_basic_header_is_no_sign_in(db: None, header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    assert client.get(ME).status_code == 401


def test_a_person_cannot_sign_in_by_basic(alice: User) -> None:
    assert basic(f"{alice.email}:{PASSWORD}".encode()).get(ME).status_code == 401


def test_a_key_brings_the_permissions_of_its_scopes_and_no_others(administrator: User) -> None:
    issued = services.create_api_client(actor=administrator, name="Desk", scopes=["fraud:decide"], now=timezone.now())
    request = APIRequestFactory().get("/", headers={"X-API-Key": issued.key})
    found = ApiKeyAuthentication().authenticate(Request(request))
    assert found is not None
    services.require(found[0], "fraud_decide")
    for codename in set(PERMISSIONS) - {"fraud_view", "fraud_decide"}:
        with pytest.raises(services.PermissionMissing):
            services.require(found[0], codename)
    # Only for this request: the user in the database is as poor as before.
    with pytest.raises(services.PermissionMissing):
        services.require(User.objects.get(pk=found[0].pk), "fraud_decide")
