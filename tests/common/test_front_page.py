"""The front page tells the truth: about the products on offer and about the API."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client
from django.urls import resolve

from accounts.models import Product
from payments.serializers import TransferIn

pytestmark = pytest.mark.django_db


def test_shows_the_products_that_can_be_opened(client: Client) -> None:
    Product.objects.filter(code="WAL-USD").update(is_open=False)
    page = client.get("/").content.decode()
    assert "Savings account" in page
    assert "2.5%" in page
    assert "US dollar wallet" not in page


def test_the_sample_request_is_one_that_the_api_takes(client: Client) -> None:
    page = client.get("/").content.decode()
    sample = re.search(r"<code>(.*?)</code>", page, re.DOTALL)
    assert sample is not None
    text = html.unescape(re.sub(r"<[^>]+>", "", sample.group(1)))
    method, path = text.split("\n")[0].split()
    assert method == "POST"
    assert resolve(path).view_name
    assert "Idempotency-Key: " in text
    body = json.loads(text[text.index("{") :])
    serializer = TransferIn(data=body)
    assert serializer.is_valid(), serializer.errors
    assert set(body) <= set(serializer.fields)


def test_the_icon_that_browsers_ask_for_leads_somewhere(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(".svg")
