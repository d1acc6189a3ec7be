from __future__ import annotations

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from fraud.reference import SHIPPED
from fraud.rules.conditions import parse
from fraud.rules.features.listing import markdown
from fraud.rules.wording import sentence

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "fraud.md").read_text()


def test_the_docs_hold_every_feature_as_the_table_defines_it() -> None:
    assert (DOCS / "fraud-features.md").read_text() == markdown()


def test_the_command_prints_the_page() -> None:
    printed = StringIO()
    call_command("describe_features", stdout=printed)
    assert printed.getvalue() == markdown()


def test_the_docs_name_the_shipped_rules_in_their_own_words() -> None:
    for shipped in SHIPPED:
        assert f"`{shipped.code}`" in TEXT
        if shipped.state == "LIVE":
            words = sentence(parse(shipped.condition, currency="EUR"), currency="EUR")
            assert f"| `{shipped.code}` | {words} |" in TEXT
