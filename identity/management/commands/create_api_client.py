"""Make an API client; its key is printed once and kept nowhere."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from common.errors import DomainError
from identity import services
from identity.models import ApiClient


class Command(BaseCommand):
    help = "Create an API client and print its X-API-Key once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scope", action="append", choices=ApiClient.Scope.values, required=True, dest="scopes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = services.create_api_client(
                actor=None, name=options["name"], scopes=options["scopes"], now=timezone.now(), reason="command line"
            )
        except DomainError as error:
            raise CommandError(error.text) from error
        self.stdout.write(issued.key)
