"""Two views that do nothing: what any request costs before a bank does its work."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


class Bare(APIView):
    """Authenticated by a bearer token whose user is looked up."""

    def get(self, request: Request) -> Response:
        return Response({"ok": True})


urlpatterns = [path("plain/", plain), path("drf/", Bare.as_view())]
