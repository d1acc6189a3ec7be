"""JSON for whoever takes it; everything else is weighed as the framework does."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from common.negotiation import JsonFirst


class Csv(BaseRenderer):
    media_type = "text/csv"
    format = "csv"


def chosen(by: DefaultContentNegotiation, renderers: list[Any], accept: str | None, query: str) -> Any:
    headers = {} if accept is None else {"HTTP_ACCEPT": accept}
    request = Request(APIRequestFactory().get(f"/{query}", **headers))
    try:
        renderer, media_type = by.select_renderer(request, renderers)
    except (APIException, Http404) as refusal:
        return type(refusal).__name__
    return type(renderer).__name__, media_type


@pytest.mark.parametrize("query", ["", "?format=csv", "?format=json", "?format=x", "?page=2"])
@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "application/json", "application/*", "text/csv", "application/json; indent=4", "text/html", "", ",,"],
)
@pytest.mark.parametrize("kinds", [[JSONRenderer], [JSONRenderer, Csv], [Csv, JSONRenderer]], ids=len)
def test_chooses_what_the_framework_would(kinds: list[Any], accept: str | None, query: str) -> None:
    renderers = [kind() for kind in kinds]
    ours = chosen(JsonFirst(), renderers, accept, query)
    assert ours == chosen(DefaultContentNegotiation(), renderers, accept, query)
