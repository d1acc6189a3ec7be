"""The OpenAPI schema is sound: two serialisers of one name would describe one of them wrongly, and only warn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_without_warnings(tmp_path: Path) -> None:
    written = tmp_path / "schema.yml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(written))
    assert "/api/v1/transactions/transfer" in written.read_text()


# What moves money, or tells of it.
MONEY = (
    "accounts/",
    "transactions/",
    "holds/",
    "payees/",
    "limits/",
    "standing-orders/",
    "bulk-files/",
    "reconciliation/",
)


def _missing(where: str, contents: dict[str, Any]) -> list[str]:
    """The contents without an example; bytes have none."""
    return [
        f"{where}: {kind}"
        for kind, content in contents.items()
        if kind != "multipart/form-data"
        and content.get("schema", {}).get("format") != "binary"
        and not {"example", "examples"} & content.keys()
    ]


def test_everything_about_money_has_an_example() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found, seen = [], 0
    for path, operations in schema["paths"].items():
        if not path.removeprefix("/api/v1/").startswith(MONEY):
            continue
        for method, operation in operations.items():
            seen += 1
            where = f"{method.upper()} {path}"
            found += _missing(f"{where} takes", operation.get("requestBody", {}).get("content", {}))
            for code, answer in operation["responses"].items():
                if code.startswith("2"):
                    found += _missing(f"{where} answers", answer.get("content", {}))
    assert seen > 40
    assert found == []
