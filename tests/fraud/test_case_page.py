"""The page of a case: history, links, similar cases, the story; all without JavaScript."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fraud import services as fraud
from fraud.models import Case
from fraud.queries import casebook
from fraud.rules.drawing import Node, ceiling, lay_out, shorten
from fraud.rules.facts import Verdict
from fraud.services.sampling import draw_sample
from tests.fraud.conftest import KIND, NOON
from tests.payments.factories import PIN, give_pin

Login = Callable[[Any], Client]
MakeCase = Callable[..., Case]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
MOST_QUERIES = 75


def shown(browser: Client, case: Case) -> str:
    return browser.get(reverse("admin:fraud_case_change", args=[case.pk])).content.decode()


def test_the_history_shows_what_came_before_and_marks_this_payment(
    officer: Any, login: Login, flagged: MakeCase, screen: Callable[..., Verdict], later: Any
) -> None:
    browser = login(officer)
    for day in range(1, 4):
        screen(at=later(days=-day), amount_minor=day * 10_00)
    screen(at=later(days=-91), amount_minor=77_77)
    case = flagged()
    assert [each.amount_minor for each in casebook.payments_before(case.decision)] == [3000, 2000, 1000, 600_000]
    page = shown(browser, case)
    assert "4 payments in 90 days. The others lie between €10.00 and €30.00" in page
    assert page.count('class="wait this"') == 1
    assert "<script" not in page[page.index("office-chart") : page.index("What happened")]


def test_what_is_shared_with_others_is_drawn_and_said(
    officer: Any, alice: Any, bob: Any, login: Login, flagged: MakeCase, screen: Callable[..., Verdict], later: Any
) -> None:
    thief = flagged(customer_id=bob.public_id, device=FIREFOX, at=later(hours=-2), beneficiary_ref="P-2")
    fraud.decide_case(actor=officer, case_id=thief.pk, decision="DECLINE", reason="Stolen phone", now=later(hours=-1))
    screen(customer_id=uuid.uuid4(), at=later(hours=-3))
    case = flagged(
        customer_id=alice.public_id, device=FIREFOX, beneficiary_label="Mallory <b>Moss</b>, BP1", account_label="BP22"
    )
    links = casebook.links_of(case.decision, casebook.payments_before(case.decision))
    device = next(each for each in links.shared if each.entity == "device")
    assert (device.label, device.others, device.frauds) == ("Firefox on Linux", ["Bob Baker"], 1)
    payee = next(each for each in links.shared if each.entity == "payee")
    assert payee.others == ["Customer of another system"]
    assert links.accounts == ["BP22"]
    page = shown(login(officer), case)
    assert '<g class="alarm"' in page
    assert "Mallory &lt;b&gt;Moss" in page
    assert "Mallory <b>" not in page


def test_similar_cases_come_with_what_they_were_and_the_closest_first(
    officer: Any, login: Login, flagged: MakeCase
) -> None:
    alike, unlike, own = (
        flagged(customer_id=uuid.uuid4(), amount_minor=amount) for amount in (6100_00, 90_000_00, 6200_00)
    )
    for case, decision in ((alike, "DECLINE"), (unlike, "RELEASE")):
        fraud.decide_case(actor=officer, case_id=case.pk, decision=decision, reason="Known gang", now=NOON)
    found = casebook.similar_cases(own)
    assert [(each.case.pk, each.is_fraud) for each in found] == [(alike.pk, True), (unlike.pk, False)]
    page = shown(login(officer), own)
    assert reverse("admin:fraud_case_change", args=[alike.pk]) in page


def test_the_story_tells_who_did_what_and_what_the_customer_says(
    officer: Any, second_officer: Any, alice: Any, login: Login, flagged: MakeCase
) -> None:
    give_pin(alice)
    case = flagged(customer_id=alice.public_id)
    fraud.add_note(actor=officer, case_id=case.pk, text="Calls back <i>at four</i>", now=NOON)
    fraud.assign_case(actor=officer, case_id=case.pk, assignee=second_officer, now=NOON)
    fraud.answer_for_subject(
        actor=alice, subject_kind=KIND, subject_id=case.subject_id, is_mine=False, pin=PIN, now=NOON
    )
    waiting = shown(login(officer), case)
    assert "this was not me" in waiting
    fraud.decide_case(actor=second_officer, case_id=case.pk, decision="DECLINE", reason="Not hers", now=NOON)
    told = [(each.action, each.who, each.text) for each in casebook.story_of(case)]
    for line in (
        ("payment", "", ""),
        ("fraud.case_noted", "Carla Compliance", "Calls back <i>at four</i>"),
        ("fraud.case_assigned", "Carla Compliance", "Conrad Compliance"),
        ("fraud.customer_denied", "Alice Archer", ""),
        ("fraud.case_declined", "Conrad Compliance", "Not hers"),
        ("label.fraud", "Conrad Compliance", ""),
    ):
        assert line in told
    page = shown(login(officer), case)
    assert "counts as fraud from now on" in page
    assert "&lt;i&gt;at four" in page


def test_a_sample_says_why_it_is_there(
    officer: Any, login: Login, screen: Callable[..., Verdict], monkeypatch: Any
) -> None:
    monkeypatch.setattr("fraud.services.sampling.sample_limit", lambda share: 2**32)
    screen()
    draw_sample(now=NOON)
    page = shown(login(officer), Case.objects.get())
    assert "drawn by lot" in page
    assert "Call it honest" in page


def test_a_case_is_two_clicks_and_a_confirmation_from_the_start_page(
    officer: Any, login: Login, flagged: MakeCase
) -> None:
    case = flagged()
    browser = login(officer)
    page = reverse("admin:fraud_case_change", args=[case.pk])
    assert page in browser.get(reverse("admin:index")).content.decode()
    decide = reverse("admin:fraud_case_release", args=[case.pk])
    assert decide in browser.get(page).content.decode()
    assert browser.post(decide, {"reason": "Phoned"}).status_code == 302


def test_the_page_asks_as_often_for_a_long_history_as_for_a_short_one(
    officer: Any, login: Login, flagged: MakeCase, screen: Callable[..., Verdict], later: Any
) -> None:
    browser = login(officer)
    counts = []
    for more in (1, 12):
        for number in range(more):
            screen(at=later(hours=-40 + number), beneficiary_ref=f"P-{number}", device=FIREFOX)
        case = flagged(device=FIREFOX)
        with CaptureQueriesContext(connection) as asked:
            shown(browser, case)
        counts.append(len(asked))
    assert counts[1] <= counts[0] + casebook.MOST_PAYEES
    assert counts[1] <= MOST_QUERIES


def test_ends_of_axes_are_round_and_boxes_do_not_overlap() -> None:
    assert [ceiling(value) for value in (0, 0.7, 1, 84, 2_200, 9_595.75)] == [1.0, 1, 1, 100, 2_500, 10_000]
    nodes = [Node(str(number), number % 3, f"Node {number}", "Kind") for number in range(12)]
    drawing = lay_out(nodes, [("0", "1"), ("1", "2")])
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == 12
    assert all(0 <= x <= drawing.width - drawing.box_width and y >= 0 for x, y in places)
    assert all(y + drawing.box_height <= drawing.height for _, y in places)
    assert len(shorten("A very long name of a payee that fits nowhere")) <= 26


def test_the_device_is_named_as_people_know_it() -> None:
    assert casebook.device_name(FIREFOX) == "Firefox on Linux"
    assert casebook.device_name("curl/8") == "curl/8"
