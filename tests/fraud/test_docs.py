from __future__ import annotations

from pathlib import Path

from fraud.reference import SHIPPED
from fraud.rules.conditions import parse
from fraud.rules.features import FEATURES
from fraud.rules.wording import sentence

TEXT = (Path(__file__).parents[2] / "docs" / "fraud.md").read_text()


def test_the_docs_hold_every_feature_as_the_table_defines_it() -> None:
    for feature in FEATURES.values():
        window = feature.window or "this payment"
        row = f"| `{feature.name}` | {feature.label} | {feature.unit} | {window} | {feature.description} |"
        assert row in TEXT


def test_the_docs_name_the_shipped_rules_in_their_own_words() -> None:
    for shipped in SHIPPED:
        assert f"`{shipped.code}`" in TEXT
        if shipped.state == "LIVE":
            words = sentence(parse(shipped.condition, currency="EUR"), currency="EUR")
            assert f"| `{shipped.code}` | {words} |" in TEXT
