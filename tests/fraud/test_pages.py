"""The fraud desk as each role sees it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from fraud import services as fraud
from fraud.admin import trials
from fraud.forms import TooRich, initial_of
from fraud.models import Case, Rule
from fraud.reference import SHIPPED
from tests.fraud.conftest import NOON, Orders, try_on_the_past

Login = Callable[[Any], Client]
LISTS = ("case", "decision", "rule")
MOST_QUERIES = 16


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_{name}", args=args)


def form_data(**changes: Any) -> dict[str, Any]:
    return {
        "code": "NIGHT_LARGE",
        "name": "Large at night",
        "action": "FLAG",
        "customer_text": "You asked for a large payment at night.",
        "link": "all",
        "first_join": "all",
        "first_0_feature": "amount_base",
        "first_0_op": ">",
        "first_0_value": "1000",
        "first_1_feature": "is_night",
        "first_1_op": "==",
        "first_1_value": "yes",
        "second_join": "any",
        **changes,
    }


@pytest.mark.parametrize("who", ["officer", "auditor", "administrator"])
def test_those_who_may_see_read_every_page(
    who: str, request: pytest.FixtureRequest, login: Login, flagged: Callable[..., Case]
) -> None:
    case = flagged()
    browser = login(request.getfixturevalue(who))
    rule = Rule.objects.get(code="VELOCITY")
    addresses = [page(f"{name}_changelist") for name in LISTS]
    addresses += [page("case_change", case.pk), page("decision_change", case.decision_id), page("rule_change", rule.pk)]
    for address in addresses:
        assert browser.get(address).status_code == 200, address


@pytest.mark.parametrize("who", ["alice", "teller"])
def test_others_see_none_of_it(
    who: str, request: pytest.FixtureRequest, login: Login, flagged: Callable[..., Case]
) -> None:
    case = flagged()
    browser = login(request.getfixturevalue(who))
    addresses = [page(f"{name}_changelist") for name in LISTS]
    addresses += [page("case_change", case.pk), page("case_release", case.pk), page("rule_new")]
    for address in addresses:
        assert browser.get(address).status_code in (302, 403), address


def test_an_auditor_changes_nothing(auditor: Any, login: Login, flagged: Callable[..., Case], orders: Orders) -> None:
    case = flagged()
    rule = Rule.objects.get(code="VELOCITY")
    browser = login(auditor)
    posts = [page(f"case_{deed}", case.pk) for deed in ("release", "decline", "claim", "put_back", "note")]
    posts += [
        page(f"rule_{deed}", rule.pk)
        for deed in ("edit", "new_version", "submit", "backtest", "shadow", "approve", "retire")
    ]
    posts += [page("rule_new"), page("rule_limit"), page("rule_preview")]
    for address in posts:
        assert browser.post(address, {"reason": "Because", "text": "x"}).status_code == 403, address
    case.refresh_from_db()
    assert case.status == "OPEN"
    shown = browser.get(page("case_change", case.pk)).content.decode()
    assert page("case_release", case.pk) not in shown


def test_the_case_page_tells_the_whole_story(officer: Any, login: Login, flagged: Callable[..., Case]) -> None:
    case = flagged(beneficiary_label="Mallory Moss", account_label="•• 4711")
    shown = login(officer).get(page("case_change", case.pk)).content.decode()
    for words in ("€6,000.00", "Mallory Moss", "•• 4711", "Nigeria", "away from home", "Release", "Decline"):
        assert words in shown
    assert "Not measured yet" in shown


def test_releasing_asks_first_and_needs_a_reason(
    officer: Any, login: Login, flagged: Callable[..., Case], orders: Orders
) -> None:
    case = flagged()
    browser = login(officer)
    assert browser.get(page("case_release", case.pk)).status_code == 200
    assert browser.post(page("case_release", case.pk), {"reason": ""}).status_code == 422
    assert orders.released == []
    answer = browser.post(page("case_release", case.pk), {"reason": "Phoned the customer"})
    assert (answer.status_code, answer["Location"]) == (302, page("case_change", case.pk))
    assert orders.released == [case.subject_id]
    late = browser.post(page("case_decline", case.pk), {"reason": "Changed my mind"})
    assert late.status_code == 422
    assert "decided in the meantime" in late.content.decode()


def test_a_case_is_taken_and_noted_from_its_page(officer: Any, login: Login, flagged: Callable[..., Case]) -> None:
    case = flagged()
    browser = login(officer)
    browser.post(page("case_claim", case.pk))
    browser.post(page("case_note", case.pk), {"text": "Customer <b>calls</b> back at four."})
    case.refresh_from_db()
    assert case.dossier.assigned_to == officer
    shown = browser.get(page("case_change", case.pk)).content.decode()
    assert "&lt;b&gt;calls" in shown
    assert browser.get(page("case_claim", case.pk)).status_code == 405


def test_a_case_is_given_to_a_colleague(
    officer: Any, second_officer: Any, teller: Any, login: Login, flagged: Callable[..., Case]
) -> None:
    case = flagged()
    browser = login(officer)
    shown = browser.get(page("case_change", case.pk)).content.decode()
    assert f'<option value="{second_officer.pk}">Conrad Compliance</option>' in shown
    assert f'<option value="{officer.pk}">' not in shown
    answer = browser.post(page("case_assign", case.pk), {"officer": teller.pk}, follow=True)
    assert "Choose the colleague" in answer.content.decode()
    answer = browser.post(page("case_assign", case.pk), {"officer": second_officer.pk}, follow=True)
    assert "with Conrad Compliance now" in answer.content.decode()
    case.refresh_from_db()
    assert case.dossier.assigned_to == second_officer
    assert "with you" in login(second_officer).get(page("case_change", case.pk)).content.decode()


def test_of_two_officers_one_decides_and_the_other_reads_who(
    officer: Any, second_officer: Any, login: Login, flagged: Callable[..., Case], orders: Orders
) -> None:
    case = flagged()
    first, second = login(officer), login(second_officer)
    for browser in (first, second):
        assert browser.get(page("case_release", case.pk)).status_code == 200
    assert first.post(page("case_release", case.pk), {"reason": "Phoned the customer"}).status_code == 302
    late = second.post(page("case_decline", case.pk), {"reason": "Looks wrong"})
    assert late.status_code == 422
    assert "Carla Compliance released it" in late.content.decode()
    assert (orders.released, orders.declined) == ([case.subject_id], [])
    for deed, data in (("claim", {}), ("assign", {"officer": officer.pk})):
        stale = second.post(page(f"case_{deed}", case.pk), data, follow=True)
        assert "Carla Compliance released it" in stale.content.decode()
    reopened = second.get(page("case_release", case.pk), follow=True)
    assert reopened.redirect_chain == [(page("case_change", case.pk), 302)]
    assert "decided already" in reopened.content.decode()


def test_what_stopped_a_payment_is_told_in_words(officer: Any, login: Login, flagged: Callable[..., Case]) -> None:
    flagged(transfer_type="WITHDRAWAL")
    cases = login(officer).get(page("case_changelist")).content.decode()
    assert "Large amount away from home" in cases
    assert "LARGE_AWAY" not in cases.replace("?rule=LARGE_AWAY_FROM_HOME", "")
    decisions = login(officer).get(page("decision_changelist") + "?transfer_type=WITHDRAWAL").content.decode()
    assert ">Withdrawal<" in decisions
    assert login(officer).get(page("decision_changelist") + "?transfer_type=OWN").context["cl"].result_count == 0


def test_the_queue_shows_open_cases_first_and_the_oldest_of_them_on_top(
    officer: Any, login: Login, flagged: Callable[..., Case], later: Callable[..., Any]
) -> None:
    decided, newer, older = (flagged(at=later(minutes=minute), customer_id=uuid.uuid4()) for minute in (0, 30, 10))
    fraud.decide_case(actor=officer, case_id=decided.pk, decision="RELEASE", reason="Fine", now=NOON)
    result = login(officer).get(page("case_changelist")).context["cl"].result_list
    assert [case.pk for case in result] == [older.pk, newer.pk, decided.pk]


def test_lists_ask_as_often_for_many_as_for_few(officer: Any, login: Login, flagged: Callable[..., Case]) -> None:
    browser = login(officer)

    def queries_of(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(page(f"{name}_changelist")).status_code == 200
        return len(captured)

    flagged()
    # The first request of a session writes when it was last seen.
    queries_of("case")
    few = {name: queries_of(name) for name in LISTS}
    for _ in range(6):
        flagged()
    assert {name: queries_of(name) for name in LISTS} == few
    assert max(few.values()) <= MOST_QUERIES


def test_a_rule_is_written_and_approved_without_code(officer: Any, second_officer: Any, login: Login) -> None:
    author = login(officer)
    assert author.get(page("rule_new")).status_code == 200
    preview = author.post(page("rule_new"), form_data(preview="1"))
    assert "Amount above €1,000.00 and at night." in preview.content.decode()
    assert not Rule.objects.filter(code="NIGHT_LARGE").exists()
    author.post(page("rule_new"), form_data(save="1"))
    rule = Rule.objects.get(code="NIGHT_LARGE")
    assert rule.state == "DRAFT"
    edited = author.post(page("rule_edit", rule.pk), form_data(save="1", first_0_value="2000.50"))
    assert edited.status_code == 302
    author.post(page("rule_submit", rule.pk), {"reason": "Ready for you", "days": "30"})
    waiting = author.get(page("rule_change", rule.pk)).content.decode()
    assert "It waits for a worker." in waiting
    assert author.post(page("rule_shadow", rule.pk), {"reason": "Ready"}).status_code == 422
    try_on_the_past(timezone.now())
    tried = author.get(page("rule_backtests", rule.pk)).content.decode()
    assert "Customers bothered" in tried
    author.post(page("rule_shadow", rule.pk), {"reason": "Ready for you"})
    assert "Payments asked about" in author.get(page("rule_change", rule.pk)).content.decode()
    refused = author.post(page("rule_approve", rule.pk), {"reason": "Mine is fine"})
    assert refused.status_code == 422
    login(second_officer).post(page("rule_approve", rule.pk), {"reason": "Agreed with you"})
    rule.refresh_from_db()
    assert rule.state == "LIVE"
    assert rule.condition["all"][0]["value"] == "2000.50"


NESTED = {
    "any": [
        {"feature": "is_night", "op": "==", "value": True},
        {
            "all": [
                {"feature": "amount_base", "op": ">", "value": "100.00"},
                {"any": [{"feature": "is_weekend", "op": "==", "value": True}]},
            ]
        },
    ]
}


def test_a_deeper_condition_is_shown_and_kept_while_the_rest_is_edited(officer: Any, login: Login) -> None:
    rule = fraud.draft_rule(
        actor=officer,
        code="DEEP_ONE",
        name="Deep one",
        condition=NESTED,
        action="FLAG",
        customer_text="You asked for a payment at an unusual time.",
        now=NOON,
    )
    browser = login(officer)
    shown = browser.get(page("rule_edit", rule.pk)).content.decode()
    assert "nested deeper than this form can show" in shown
    assert "At night, or (amount above €100.00 and at the weekend)" in shown
    assert "first_0_feature" not in shown
    given = {"name": "Deeper one", "action": "BLOCK", "customer_text": "We did not expect this payment.", "save": "1"}
    assert browser.post(page("rule_edit", rule.pk), {**given, **form_data(), **given}).status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.action, rule.condition) == ("Deeper one", "BLOCK", NESTED)


def test_what_is_no_draft_of_ones_own_says_why_it_cannot_be_edited(
    officer: Any, second_officer: Any, login: Login
) -> None:
    live = Rule.objects.get(code="VELOCITY")
    answer = login(officer).get(page("rule_edit", live.pk), follow=True)
    assert "change it as a new version" in answer.content.decode()
    draft = fraud.new_version(actor=officer, rule_id=live.pk, now=NOON)
    answer = login(second_officer).get(page("rule_edit", draft.pk), follow=True)
    assert "belongs to somebody else" in answer.content.decode()


def test_two_groups_are_joined(officer: Any, login: Login) -> None:
    second = {
        "second_0_feature": "txn_count_10min",
        "second_0_op": ">",
        "second_0_value": "3",
        "second_1_feature": "amount_base",
        "second_1_op": ">",
        "second_1_value": "3",
        "second_1_of": "max_amount_90d",
    }
    login(officer).post(page("rule_new"), form_data(save="1", **second))
    rule = Rule.objects.get(code="NIGHT_LARGE")
    shown = login(officer).get(page("rule_change", rule.pk)).content.decode()
    assert (
        "Amount above €1,000.00, at night, and (more than 3 transfers in 10 minutes or amount above 3 times the "
        "largest amount sent in 90 days)" in shown
    )
    assert initial_of(rule.condition)["second_1_of"] == "max_amount_90d"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first_0_value": "-5"}, "first_0_value"),
        ({"first_0_value": "a lot"}, "first_0_value"),
        ({"first_0_op": "in"}, "first_0_op"),
        ({"first_1_value": "maybe"}, "first_1_value"),
        ({"first_0_of": "txn_count_10min", "first_0_value": "3"}, "first_0_of"),
        ({"first_0_feature": "", "first_1_feature": "", "first_1_value": "", "first_0_value": ""}, "first_0_feature"),
        ({"first_0_feature": "__import__"}, "first_0_feature"),
        ({"second_3_value": "7"}, "second_3_feature"),
        ({"code": "x"}, "code"),
        ({"code": "VELOCITY"}, "code"),
        ({"name": ""}, "name"),
        ({"customer_text": "No"}, "customer_text"),
    ],
)
def test_a_mistake_stands_beside_its_field(officer: Any, login: Login, change: dict[str, str], field: str) -> None:
    answer = login(officer).post(page("rule_new"), form_data(save="1", **change))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not Rule.objects.filter(code="NIGHT_LARGE").exists()


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda shipped: shipped.code)
def test_shipped_rules_open_in_the_form(shipped: Any) -> None:
    assert initial_of(shipped.condition)["first_0_feature"]


def test_a_shape_the_form_cannot_show_is_named() -> None:
    with pytest.raises(TooRich):
        initial_of({"not": {"feature": "is_night", "op": "==", "value": True}})


def limit_data(**changes: Any) -> dict[str, Any]:
    return {
        "code": "card_limit",
        "name": "Limit of card payments",
        "transfer_type": "CARD",
        "measure": "amount_base",
        "bound": "750.00",
        "history": "",
        "action": "FLAG",
        "customer_text": "This payment is above a limit, so we look at it first.",
        **changes,
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "Kind of payment is card payment and amount above €750.00"),
        (
            {"bound": "2.5", "history": "user_avg_amount"},
            "Kind of payment is card payment and amount above 2.5 times the usual amount in 90 days",
        ),
        (
            {"transfer_type": "", "measure": "daily_total", "bound": "3", "history": "max_amount_90d"},
            "Total sent in 24 hours above 3 times the largest amount sent in 90 days",
        ),
        (
            {"transfer_type": "WITHDRAWAL", "measure": "txn_count_1hour", "bound": "4"},
            "Kind of payment is withdrawal and more than 4 transfers in an hour",
        ),
    ],
)
def test_a_limit_is_set_with_a_short_form(officer: Any, login: Login, change: dict[str, str], says: str) -> None:
    browser = login(officer)
    assert browser.get(page("rule_limit")).status_code == 200
    answer = browser.post(page("rule_limit"), limit_data(**change))
    rule = Rule.objects.get(code="CARD_LIMIT")
    assert answer["Location"] == page("rule_change", rule.pk)
    assert says in browser.get(page("rule_change", rule.pk)).content.decode()
    assert browser.get(page("rule_edit", rule.pk)).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"bound": "a lot"}, "bound"),
        ({"bound": "-1"}, "bound"),
        ({"bound": "0", "history": "user_avg_amount"}, "bound"),
        ({"measure": "daily_count", "bound": "3", "history": "user_avg_amount"}, "history"),
        ({"measure": "daily_count", "bound": "3.5"}, "bound"),
        ({"measure": "salary"}, "measure"),
        ({"transfer_type": "WIRE"}, "transfer_type"),
        ({"code": "VELOCITY"}, "code"),
        ({"customer_text": "No"}, "customer_text"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_beside_its_field(
    officer: Any, login: Login, change: dict[str, str], field: str
) -> None:
    answer = login(officer).post(page("rule_limit"), limit_data(**change))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Rule.objects.filter(code="CARD_LIMIT").exists()


def test_a_precision_that_nobody_knows_says_why() -> None:
    assert trials._precision(None, 0) == "not known: people have decided about none of the hits"
    assert trials._precision(0.5, 1200) == "50% of 1,200 hits that people decided about"
