"""The table of features as a page of the docs."""

from __future__ import annotations

from fraud.rules.features.kinds import Feature
from fraud.rules.features.table import ENTITY_TABLE, FACT_TABLE, MODEL_TABLE

_HEAD = """# Features of a payment

Rendered by `python3 run.py manage describe_features` from `fraud/rules/features/table.py`; a test compares the two.

Windows are half-open, `(at - length, at]`. "Settled" means approved at once, or held and released later (then from the release
on). Unknown values are neither true nor false to a rule, and a gap to a model.
"""
_SECTIONS = (
    ("What is known of the payment", "Rules ask for these; models do not see them.", FACT_TABLE),
    ("The 41 features", "What every model sees, in the order of the vector.", MODEL_TABLE),
    (
        "Entity risk",
        "What payments and known labels say of payee, device and address. The supervised model sees it beside the 41.",
        ENTITY_TABLE,
    ),
)
_COLUMNS = "| Name | Label | Unit | Window | Meaning |\n|---|---|---|---|---|"


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, words, table in _SECTIONS:
        parts += [f"## {title}\n{words}\n", _COLUMNS, *(_row(feature) for feature in table), ""]
    return "\n".join(parts)


def _row(feature: Feature) -> str:
    window = feature.window or "this payment"
    return f"| `{feature.name}` | {feature.label} | {feature.unit} | {window} | {feature.description} |"
