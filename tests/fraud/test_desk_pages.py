"""The queue as officers work with it: taking the next case, several payments in one, several cases at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fraud import services as fraud
from fraud import subjects
from fraud.models import Case, CaseCheck, Label
from fraud.queries import desk
from fraud.rules.desk import DeskSettings
from tests.fraud.conftest import KIND, NOON, Orders
from tests.fraud.test_desk import ITEMS

Login = Callable[[Any], Client]
MakeCase = Callable[..., Case]


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_case_{name}", args=args)


@pytest.fixture
def listed(orders: Orders) -> Orders:
    subjects.register(KIND, release=orders.release, decline=orders.decline, checklists={"FLAGGED": ITEMS})
    return orders


def test_the_next_case_is_taken_with_one_click(officer: Any, login: Login, flagged: MakeCase) -> None:
    case = flagged()
    browser = login(officer)
    assert page("next") in browser.get(page("changelist")).content.decode()
    answer = browser.post(page("next"))
    assert answer["Location"] == page("change", case.pk)
    shown = browser.get(answer["Location"]).content.decode()
    assert "with you" in shown
    nothing = browser.post(page("next"), follow=True).content.decode()
    assert "No case waits" in nothing
    assert browser.get(page("next")).status_code == 405


def test_the_queue_shows_a_dossier_once_and_how_late_it_is(
    officer: Any, login: Login, flagged: MakeCase, later: Any
) -> None:
    first, second = flagged(), flagged(at=later(minutes=3), beneficiary_label="Second Payee")
    browser = login(officer)
    answer = browser.get(page("changelist"))
    assert [case.pk for case in answer.context["cl"].result_list] == [first.pk]
    shown = answer.content.decode()
    assert "€6,000.00<br>" in shown
    assert "and 1 more" in shown
    assert "Overdue by" in shown
    found = browser.get(page("changelist"), {"q": "Second Payee"}).context["cl"].result_list
    assert [case.pk for case in found] == [second.pk]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("assigned=me", 1),
        ("assigned=nobody", 1),
        ("assigned=others", 0),
        ("due=over", 2),
        ("due=open", 0),
        ("urgency=2", 2),
        ("urgency=3", 0),
        ("rule=LARGE_AWAY_FROM_HOME", 2),
        ("rule=VELOCITY", 0),
        ("urgency=nonsense", 2),
    ],
)
def test_the_queue_is_narrowed(officer: Any, login: Login, flagged: MakeCase, query: str, count: int) -> None:
    case, _ = flagged(), flagged(customer_id=uuid.uuid4())
    fraud.assign_case(actor=officer, case_id=case.pk, assignee=officer, now=NOON)
    assert login(officer).get(f"{page('changelist')}?{query}").context["cl"].result_count == count


def test_chosen_payments_of_a_case_are_decided(
    officer: Any, login: Login, flagged: MakeCase, listed: Orders, later: Any
) -> None:
    first, second, third = (flagged(at=later(minutes=minute)) for minute in (0, 1, 2))
    browser = login(officer)
    assert "Payments in this case" in browser.get(page("change", first.pk)).content.decode()
    url = page("release", first.pk)
    asked = browser.get(url)
    shown = asked.content.decode()
    assert f'value="{third.pk}"' in shown
    # Nothing but the payment whose page it was opened from is ticked, and there is no kind to release.
    assert asked.context["form"]["payments"].value() == [str(first.pk)]
    assert 'name="kind"' not in shown
    given = {"reason": "Known payee", "payments": [first.pk, third.pk]}
    refused = browser.post(url, given)
    assert refused.status_code == 422
    assert "Customer called" in refused.content.decode()
    assert listed.released == []
    browser.post(page("check", first.pk), {"checks": ["history"]})
    assert CaseCheck.objects.get().done_by == officer
    done = browser.post(url, {**given, "checks": ["customer"]}, follow=True)
    assert "You decided 2 of 2 payments" in done.content.decode()
    assert listed.released == [first.subject_id, third.subject_id]
    assert "One other payment of this case stays open." in done.content.decode()
    assert [case.pk for case in desk.open_cases_of(second)] == [second.pk]


def test_a_choice_stands_for_the_payments_that_were_seen(
    officer: Any, login: Login, flagged: MakeCase, listed: Orders, later: Any
) -> None:
    first, second = (flagged(at=later(minutes=minute)) for minute in (0, 1))
    browser = login(officer)
    url = page("decline", first.pk)
    form = browser.get(url).context["form"]
    everything = form.fields["payments"].choices[0][0]
    given = {"reason": "One gang", "checks": ["history", "customer"], "kind": "SMURFING"}
    third = flagged(at=later(minutes=2))
    meanwhile = browser.post(url, {**given, "payments": [everything]})
    assert "have changed meanwhile" in meanwhile.content.decode()
    # Somebody else decides all but one: the choice does not slip over to the one that is left.
    for case in (second, third):
        fraud.decide_case(
            actor=officer, case_id=case.pk, decision="DECLINE", reason="Phoned", now=NOON, checked=given["checks"]
        )
    slipped = browser.post(url, {**given, "payments": [str(second.pk)]})
    assert "have changed meanwhile" in slipped.content.decode()
    first.refresh_from_db()
    assert first.status == "OPEN"
    browser.post(url, {**given, "payments": [str(first.pk)]})
    assert Label.objects.get(decision=first.decision_id).kind == "SMURFING"


def test_several_cases_are_decided_with_one_reason_and_each_result_is_listed(
    officer: Any, second_officer: Any, login: Login, flagged: MakeCase, listed: Orders
) -> None:
    first, late, untouched = (flagged(customer_id=uuid.uuid4()) for _ in range(3))
    own = flagged(customer_id=officer.public_id)
    browser = login(officer)
    shown = browser.get(page("together")).content.decode()
    assert str(first.pk) in shown
    assert str(own.pk) not in shown
    given = {"decision": "DECLINE", "reason": "One gang", "checks": ["history", "customer"], "kind": "MULE"}
    none = browser.post(page("together"), given)
    assert "Choose at least one case." in none.content.decode()
    listed.fail_with = fraud.CaseTaken("The account is closed.")
    both = {**given, "cases": [str(first.pk), str(late.pk)]}
    failed = browser.post(page("together"), both).content.decode()
    assert failed.count("Stays open. The account is closed.") == 2
    listed.fail_with = None
    done = browser.post(page("together"), both).content.decode()
    assert done.count(": Declined") == 2
    assert set(listed.declined) == {first.subject_id, late.subject_id}
    assert set(Label.objects.values_list("kind", flat=True)) == {"MULE"}
    untouched.refresh_from_db()
    assert untouched.status == "OPEN"
    foreign = browser.post(page("together"), {**given, "cases": [str(own.pk)]})
    assert "is not one of the available choices" in foreign.content.decode()


def test_what_the_desk_goes_by_is_set_on_a_page(officer: Any, auditor: Any, login: Login) -> None:
    given = {
        "critical_hours": "2",
        "suspicious_hours": "12",
        "sample_hours": "72",
        "sample_percent": "0.25",
        "reason": "More officers from today",
    }
    assert login(auditor).post(page("desk"), given).status_code == 403
    browser = login(officer)
    assert browser.post(page("desk"), {**given, "sample_percent": "NaN"}).status_code == 422
    assert browser.post(page("desk"), given).status_code == 302
    assert desk.desk_settings() == DeskSettings(2, 12, 72, 0.0025)
    assert "within 2 hours" in browser.get(page("changelist")).content.decode()
