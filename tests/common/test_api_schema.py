"""The OpenAPI schema is sound: two serialisers of one name would describe one of them wrongly, and only warn."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_without_warnings(tmp_path: Path) -> None:
    written = tmp_path / "schema.yml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(written))
    assert "/api/v1/transactions/transfer" in written.read_text()
