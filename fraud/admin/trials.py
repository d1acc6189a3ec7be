"""Backtests and shadow hits as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format

from common.money import Money, display
from fraud.admin.files import BUILT_IN, payee_cell
from fraud.models import Backtest, Rule, RuleState
from fraud.queries.trials import shadow_of
from fraud.rules.deciding import TEXTS

STAGES = (
    (RuleState.DRAFT, "Draft"),
    (RuleState.BACKTEST, "Tried on the past"),
    (RuleState.SHADOW, "In shadow"),
    (RuleState.LIVE, "Live"),
    (RuleState.RETIRED, "Retired"),
)
NEXT = {
    RuleState.DRAFT: "Next: its author tries it on stored payments. From then on its text stays as it is.",
    RuleState.BACKTEST: "Next: when the backtest is finished and looks right, ask it about every payment in shadow.",
    RuleState.SHADOW: "It is asked about every payment and decides nothing. Next: another person puts it live.",
    RuleState.LIVE: "It decides about every payment. A change is a new version; somebody else than its author retires it.",
    RuleState.RETIRED: "It is kept for the record. It can be copied into a new version.",
}
OUTCOMES = {"APPROVED": "Approved", "FLAGGED": "Held", "BLOCKED": "Refused"}
# How a model's word reads beside the names of rules.
MODEL_WORDS = {f"MODEL_{name.upper()}": f"Model: {str(name).replace('_', ' ')}" for name in TEXTS}


def stages(rule: Rule) -> list[dict[str, Any]]:
    """The five stages, with the one where the rule stands marked."""
    return [{"name": name, "here": state == rule.state} for state, name in STAGES]


def reason_words(code: str, names: Mapping[str, str]) -> str:
    """A reason's code in words; `names` are those of rules."""
    return names.get(code) or BUILT_IN.get(code) or MODEL_WORDS.get(code) or code


def what(backtest: Backtest) -> str:
    """What was tried, in words."""
    if backtest.rule is not None:
        return f"{backtest.rule.name}, version {backtest.rule.version}"
    if backtest.flag_at is not None and backtest.block_at is not None:
        return f"Flag from {backtest.flag_at:g}, block from {backtest.block_at:g}"
    return "The engine after a change"


def state_of(backtest: Backtest) -> str:
    if backtest.finished_at is None:
        return "Running" if backtest.alive_at else "Waiting"
    return "Failed" if backtest.error else "Finished"


def shown(backtest: Backtest, names: Mapping[str, str]) -> dict[str, Any]:
    """One backtest for `admin/fraud/_backtests.html`."""
    done, total = backtest.decisions_done, backtest.decisions_total
    return {
        "period": f"{date_format(backtest.from_at, 'j M Y')} to {date_format(backtest.to_at, 'j M Y, H:i')}",
        "asked": _asked(backtest),
        "running": backtest.finished_at is None,
        "started": backtest.alive_at is not None,
        "done": done,
        "total": total,
        "percent": round(100 * done / total) if total else 0,
        "error": backtest.error,
        "facts": _facts(backtest, names) if backtest.result else [],
        "sides": _sides(backtest.result) if "now" in backtest.result else [],
        "changed": _changed(backtest.result, names),
    }


def _asked(backtest: Backtest) -> str:
    who = backtest.requested_by.get_full_name() if backtest.requested_by else "the system"
    return f"asked for by {who} on {date_format(backtest.requested_at, 'j M Y, H:i')}"


def _facts(backtest: Backtest, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """What it would have done, a line each."""
    if "now" in backtest.result:
        return _differences(backtest.result)
    return _hits(backtest.result, names)


def _differences(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    moves = [
        f"{_count(count)} {OUTCOMES[then].lower()} would be {OUTCOMES[now].lower()}"
        for (then, now), count in ((move.split(), count) for move, count in result["moves"].items())
    ]
    return [
        ("Payments decided again", _count(result["decisions"])),
        ("What would change", "; ".join(moves) or "nothing"),
        ("Money saved", f"{base(result['saved_minor'])} of fraud that went through then"),
        ("Money lost", f"{base(result['lost_minor'])} of fraud that was stopped then"),
        ("Customers bothered", f"{_count(result['customers_bothered'])} who were not then"),
        ("Customers spared", f"{_count(result['customers_spared'])} who were stopped then"),
    ]


def _sides(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was, beside what would be."""
    return [
        {
            "name": name,
            "alerts": f"{_count(side['alerts'])}{_share(side['alerts'], result['decisions'])}",
            "blocked": _count(side["blocked"]),
            "precision": f"{percent(side['precision'])} of {_count(side['labelled'])}",
            "recall": f"{percent(side['recall'])} of {_count(result['frauds'])}",
        }
        for name, side in (("Then", result["then"]), ("Now", result["now"]))
    ]


def _changed(result: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The first payments that would be decided otherwise."""
    return [
        {
            "url": reverse("admin:fraud_decision_change", args=[row["decision"]]),
            "short": row["decision"][:8],
            "then": OUTCOMES[row["then"]],
            "now": OUTCOMES[row["now"]],
            "why": ", ".join(reason_words(code, names) for code in row["codes"]) or "what models say",
        }
        for row in result.get("shown", [])
    ]


def _count(number: int) -> str:
    return f"{number:,}"


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.2f}%)" if whole else ""


def _hits(result: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    labelled = result["hits_fraud"] + result["hits_honest"]
    share = _share(result["hits"], result["decisions"])
    overlap = [f"{reason_words(code, names)} {_count(count)}" for code, count in result["overlap"].items()]
    return [
        ("Payments asked about", _count(result["decisions"])),
        ("Hits", f"{_count(result['hits'])}{share}"),
        ("Precision", _precision(result["precision"], labelled)),
        ("Recall", f"{percent(result['recall'])} of {_count(result['frauds'])} frauds that are known"),
        ("Money saved", f"{base(result['saved_minor'])} of fraud that went through then"),
        ("Customers bothered", _count(result["customers_bothered"])),
        ("Kept quiet then by a snooze or an allow list", _count(result.get("silenced", 0))),
        ("Hits that something stopped then", ", ".join(overlap) or "none"),
    ]


def _precision(share: float | None, labelled: int) -> str:
    if share is None:
        return "not known: people have decided about none of the hits"
    return f"{percent(share)} of {_count(labelled)} hits that people decided about"


def shadowed(rule: Rule) -> dict[str, Any] | None:
    """What a rule in shadow would have stopped; None for one that was never there."""
    found = shadow_of(rule)
    if found is None or rule.shadow_at is None:
        return None
    return {
        "facts": [
            ("Since", date_format(rule.shadow_at, "j F Y, H:i")),
            ("Payments asked about", _count(found.asked)),
            ("Hits", _count(found.hits)),
            ("Of those, stopped by something live", _count(found.stopped_anyway)),
            ("Of those, went through", _count(found.went_through)),
            ("Decided by people", f"{_count(found.fraud)} fraud, {_count(found.honest)} honest"),
        ],
        "latest": [
            {
                "url": reverse("admin:fraud_decision_change", args=[hit.decision_id]),
                "at": hit.decision.at,
                "amount": str(Money(hit.decision.amount_minor, hit.decision.currency)),
                "payee": payee_cell(hit.decision),
                "outcome": hit.decision.get_outcome_display(),
            }
            for hit in found.latest
        ],
    }


def percent(share: float | None) -> str:
    """A share as whole percent; nothing is known without labels."""
    return "not known:" if share is None else f"{100 * share:.0f}%"


def base(minor: int) -> str:
    return display(Money(minor, settings.BASE_CURRENCY))
