"""Block and allow lists and snoozes: what they change at the very next payment, and who may write them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from common.db import use_case
from common.errors import Forbidden, Invalid
from fraud import services as fraud
from fraud.models import Decision, ListEntry, Rule, SilentHit, Snooze
from fraud.rules.lists import SHAPES, Told, keys_of, value_of
from fraud.services import backtests
from fraud.services.screening import screen_each
from tests.fraud.conftest import NOON, make_facts

DAY = timedelta(days=1)
SOFT = "LARGE_AWAY_FROM_HOME"
LARGE: dict[str, Any] = {"amount_minor": 6000_00, "country": "NG"}
Screen = Callable[..., Any]


def block(actor: Any, kind: str = "PAYEE", value: str = "PAYEE-1", **changes: Any) -> ListEntry:
    given = {"listing": "BLOCK", "values": [value], "reason": "Reported by a customer", "now": NOON, **changes}
    return fraud.add_entries(actor=actor, kind=kind, **given)[0]


def allow(actor: Any, checker: Any = None, value: str = "PAYEE-1", **changes: Any) -> ListEntry:
    given = {"listing": "ALLOW", "rules": [SOFT], "ends_at": NOON + 30 * DAY, **changes}
    entry = block(actor, value=value, **given)
    if checker is not None:
        fraud.approve_entry(actor=checker, entry_id=entry.pk, reason="Known landlord", now=NOON)
    return entry


@pytest.mark.parametrize(
    ("kind", "value", "hits", "passes"),
    [
        ("PAYEE", " PAYEE-1 ", {}, {"beneficiary_ref": "PAYEE-10"}),
        ("DEVICE", "Old phone", {"device": "Old phone"}, {"device": "Old phone 2"}),
        ("NETWORK", "203.0.113.9", {}, {"ip": "203.0.113.8"}),
        ("NETWORK", "203.0.113.0/24", {}, {"ip": "203.0.114.1"}),
        ("NETWORK", "203.0.0.0/8", {}, {"ip": "204.0.0.1"}),
        ("NETWORK", "2001:db8::/32", {"ip": "2001:db8:7::1"}, {"ip": "2001:db9::1"}),
        ("NETWORK", "203.0.113.0/24", {"ip": "::ffff:203.0.113.77"}, {"ip": ""}),
        ("COUNTRY", "kp", {"country": "KP"}, {"country": "DE"}),
    ],
)
def test_a_block_refuses_at_the_very_next_payment(
    screen: Screen, officer: Any, kind: str, value: str, hits: dict[str, Any], passes: dict[str, Any]
) -> None:
    assert screen(**hits).outcome == "APPROVED"
    block(officer, kind, value)
    verdict = screen(**hits)
    assert (verdict.outcome, verdict.score, verdict.reasons[0].code) == ("BLOCKED", 0.95, "BLOCK_LIST")
    assert "Reported by a customer" in verdict.reasons[0].detail
    assert "Reported" not in verdict.reasons[0].text
    assert screen(**passes).outcome == "APPROVED"


def test_a_block_ends_by_its_day_or_by_another_person(screen: Screen, officer: Any, second_officer: Any) -> None:
    entry = block(officer, ends_at=NOON + DAY)
    assert screen(at=NOON + timedelta(hours=23)).outcome == "BLOCKED"
    assert screen(at=NOON + DAY).outcome == "APPROVED"
    with pytest.raises(fraud.OneAuthor):
        fraud.end_entry(actor=officer, entry_id=entry.pk, reason="A mistake", now=NOON)
    with pytest.raises(DatabaseError, match="block_ended_by_another"), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(state="ENDED", ended_by=officer, ended_at=NOON)
    fraud.end_entry(actor=second_officer, entry_id=entry.pk, reason="A mistake", now=NOON)
    assert screen(at=NOON + 2 * DAY).outcome == "APPROVED"
    with pytest.raises(fraud.EntryStateConflict):
        fraud.end_entry(actor=second_officer, entry_id=entry.pk, reason="Again", now=NOON)


def test_an_allow_entry_counts_after_a_second_persons_word(screen: Screen, officer: Any, second_officer: Any) -> None:
    entry = allow(officer)
    assert screen(**LARGE).outcome == "FLAGGED"
    with pytest.raises(fraud.OneAuthor):
        fraud.approve_entry(actor=officer, entry_id=entry.pk, reason="Mine", now=NOON)
    with pytest.raises(DatabaseError, match="allow_was_checked"), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(state="ACTIVE", active_at=NOON)
    with pytest.raises(DatabaseError, match="two_people"), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(state="ACTIVE", active_at=NOON, checker=officer)
    fraud.approve_entry(actor=second_officer, entry_id=entry.pk, reason="Known landlord", now=NOON)
    verdict = screen(**LARGE)
    assert (verdict.outcome, verdict.reasons) == ("APPROVED", ())
    hit = SilentHit.objects.get(decision_id=verdict.decision_id)
    assert (hit.rule.code, hit.why, hit.by) == (SOFT, "ALLOWED", entry.pk)
    actions = set(AuditEvent.objects.filter(subject_id=str(entry.pk)).values_list("action", flat=True))
    assert actions == {"fraud.entry_added", "fraud.entry_approved"}


def test_an_allow_entry_keeps_only_its_own_rules_quiet(screen: Screen, officer: Any, second_officer: Any) -> None:
    allow(officer, second_officer, rules=["VELOCITY"])
    assert [reason.code for reason in screen(**LARGE).reasons] == [SOFT]


def test_a_hard_rule_and_the_block_list_are_never_silenced(screen: Screen, officer: Any, second_officer: Any) -> None:
    allow(officer, second_officer)
    hard = Rule.objects.get(code="VERY_LARGE_AWAY_TO_NEW_PAYEE")
    fraud.approve_rule(actor=officer, rule_id=hard.pk, reason="Agreed", now=NOON)
    verdict = screen(amount_minor=30_000_00, country="NG")
    assert (verdict.outcome, [reason.code for reason in verdict.reasons]) == ("BLOCKED", [hard.code])
    with pytest.raises(Invalid) as caught:
        allow(officer, rules=[hard.code], value="PAYEE-2")
    assert caught.value.field == "rules"
    block(second_officer)
    assert screen(**LARGE).outcome == "BLOCKED"


def test_a_rule_that_became_hard_is_not_silenced_any_more(screen: Screen, officer: Any, second_officer: Any) -> None:
    allow(officer, second_officer)
    soft = Rule.objects.get(code=SOFT)
    fraud.retire_rule(actor=officer, rule_id=soft.pk, reason="Harder", now=NOON)
    Rule.objects.create(
        code=SOFT,
        version=2,
        name=soft.name,
        condition=soft.condition,
        action="BLOCK",
        customer_text=soft.customer_text,
        state="LIVE",
        created_at=NOON,
        live_at=NOON,
    )
    fraud.end_entry(actor=second_officer, entry_id=block(officer, value="ELSE").pk, reason="Reload", now=NOON)
    assert screen(**LARGE).outcome == "BLOCKED"


def test_a_snooze_is_for_one_account_and_ends(screen: Screen, officer: Any) -> None:
    screen()
    snooze = fraud.snooze_rule(
        actor=officer, code=SOFT, who=str(uuid.UUID(int=2)), days=7, reason="On holiday", now=NOON
    )
    assert (snooze.holder, snooze.ends_at) == ("ACCOUNT", NOON + 7 * DAY)
    quiet = screen(**LARGE)
    assert quiet.outcome == "APPROVED"
    assert SilentHit.objects.get(decision_id=quiet.decision_id).by == snooze.pk
    assert screen(**LARGE, account_ref=uuid.UUID(int=3)).outcome == "FLAGGED"
    assert screen(**LARGE, at=NOON + 7 * DAY).outcome == "FLAGGED"
    fraud.end_snooze(actor=officer, snooze_id=snooze.pk, reason="Back home", now=NOON)
    assert screen(**LARGE, at=NOON + timedelta(minutes=1)).outcome == "FLAGGED"
    with pytest.raises(fraud.SnoozeOver):
        fraud.end_snooze(actor=officer, snooze_id=snooze.pk, reason="Again", now=NOON)


def test_a_snooze_is_for_one_customer_and_a_new_one_replaces_it(screen: Screen, officer: Any, alice: Any) -> None:
    for days in (7, 2):
        fraud.snooze_rule(actor=officer, code=SOFT, who=alice.email.upper(), days=days, reason="Travels", now=NOON)
    assert Snooze.objects.filter(ended_at__isnull=True).get().ends_at == NOON + 2 * DAY
    assert screen(**LARGE, customer_id=alice.public_id).outcome == "APPROVED"
    assert screen(**LARGE).outcome == "FLAGGED"


def test_nobody_snoozes_a_rule_for_payments_of_their_own(screen: Screen, officer: Any) -> None:
    screen(customer_id=officer.public_id)
    for who in (officer.email, str(uuid.UUID(int=2)), str(officer.public_id)):
        with pytest.raises(fraud.OwnSnooze):
            fraud.snooze_rule(actor=officer, code=SOFT, who=who, days=1, reason="Me", now=NOON)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "VERY_LARGE_AWAY_TO_NEW_PAYEE"}, "rule"),
        ({"code": "NO_SUCH"}, "rule"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"who": "nobody@example.com"}, "who"),
        ({"who": "4711"}, "who"),
        ({"who": str(uuid.UUID(int=99))}, "who"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_snooze_that_cannot_be_is_refused_at_its_field(
    alice: Any, officer: Any, change: dict[str, Any], field: str
) -> None:
    given = {"code": SOFT, "who": alice.email, "days": 7, "reason": "Travels", **change}
    with pytest.raises(Invalid) as caught:
        fraud.snooze_rule(actor=officer, now=NOON, **given)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"kind": "NETWORK", "value": "203.0.113.9/24"}, "values", "did you mean 203.0.113.0/24?"),
        ({"kind": "NETWORK", "value": "0.0.0.0/0"}, "values", "covers too much"),
        ({"kind": "NETWORK", "value": "2001:db8::/33"}, "values", "ends between"),
        ({"kind": "NETWORK", "value": "localhost"}, "values", "not an address"),
        ({"kind": "COUNTRY", "value": "Germany"}, "values", "not a country"),
        ({"kind": "PAYEE", "value": " "}, "values", "1 to 500"),
        ({"kind": "PAYEE", "values": ["A", "B\x07"]}, "values", "Line 2"),
        ({"kind": "PLANET"}, "listing", "Choose"),
        ({"rules": [SOFT]}, "rules", "names no rules"),
        ({"ends_at": NOON}, "ends_on", "future"),
        ({"listing": "ALLOW", "rules": [SOFT]}, "ends_on", "within a year"),
        ({"listing": "ALLOW", "rules": [SOFT], "ends_at": NOON + 400 * DAY}, "ends_on", "within a year"),
        ({"listing": "ALLOW", "ends_at": NOON + DAY}, "rules", "stay quiet"),
        ({"reason": ""}, "reason", "reason"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_at_its_field(
    officer: Any, change: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        block(officer, **change)
    assert caught.value.field == field
    assert not ListEntry.objects.exists()


def test_the_same_entry_is_not_written_twice(officer: Any) -> None:
    block(officer)
    with pytest.raises(Invalid, match="on this list already"):
        block(officer, value="PAYEE-1 ")


@pytest.mark.parametrize("who", ["alice", "teller", "auditor", "administrator"])
def test_only_those_who_may_write_lists(who: str, request: pytest.FixtureRequest, officer: Any) -> None:
    actor = request.getfixturevalue(who)
    entry = allow(officer)
    with pytest.raises(Forbidden):
        block(actor, value="ELSE")
    with pytest.raises(Forbidden):
        fraud.approve_entry(actor=actor, entry_id=entry.pk, reason="Yes", now=NOON)
    with pytest.raises(Forbidden):
        fraud.end_entry(actor=actor, entry_id=entry.pk, reason="No", now=NOON)
    with pytest.raises(Forbidden):
        fraud.snooze_rule(actor=actor, code=SOFT, who="x@example.com", days=1, reason="No", now=NOON)


def test_what_an_entry_says_never_changes(officer: Any, alice: Any) -> None:
    entry = block(officer)
    snooze = fraud.snooze_rule(actor=officer, code=SOFT, who=alice.email, days=1, reason="Travels", now=NOON)
    for row, change in ((entry, {"value": "ELSE"}), (entry, {"ends_at": NOON}), (snooze, {"ends_at": NOON + 9 * DAY})):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            row.delete()


def test_lists_cost_one_look_up_and_nothing_while_none_is_in_force(screen: Screen, officer: Any) -> None:
    def queries() -> int:
        screen()
        with CaptureQueriesContext(connection) as captured:
            screen()
        return len(captured)

    before = queries()
    values = [f"OTHER-{index}" for index in range(300)]
    fraud.add_entries(actor=officer, listing="BLOCK", kind="PAYEE", values=values, reason="A ring", now=NOON)
    block(officer, "NETWORK", "198.51.100.0/24")
    assert queries() == before + 1


def test_many_payments_at_once_are_looked_up_together(screen: Screen, officer: Any) -> None:
    block(officer, value="MULE")
    screen()

    def queries(count: int, start: int) -> int:
        facts = [
            make_facts(customer_id=uuid.UUID(int=start + at), beneficiary_ref="MULE" if at == 1 else f"P-{start + at}")
            for at in range(count)
        ]
        with CaptureQueriesContext(connection) as captured, use_case():
            verdicts = screen_each(facts=facts)
        assert [verdict.outcome for verdict in verdicts].count("BLOCKED") == 1
        assert verdicts[1].reasons[0].code == "BLOCK_LIST"
        return sum("fraud_listentry" in each["sql"] or "EXECUTE" in each["sql"] for each in captured.captured_queries)

    assert queries(30, 2000) == queries(3, 1000)


def test_many_entries_are_found_by_their_index(screen: Screen, officer: Any) -> None:
    ListEntry.objects.bulk_create(
        ListEntry(
            listing="BLOCK",
            kind="PAYEE",
            value=f"MULE-{index}",
            shape="PAYEE",
            key=value_of("PAYEE", f"MULE-{index}").key,
            reason="A ring",
            state="ACTIVE",
            maker=officer,
            created_at=NOON,
            active_at=NOON,
        )
        for index in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("ANALYZE fraud_listentry")
        keys = keys_of(Told("MULE-77", "", "203.0.113.9", "DE"), SHAPES)
        cursor.execute(
            "EXPLAIN SELECT id FROM fraud_listentry WHERE state = 'ACTIVE' AND key = ANY(%s::bigint[])", [keys]
        )
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "fraud_listentry_key" in plan
    block(officer, value="MULE-OF-TODAY")
    assert screen(beneficiary_ref="MULE-77").outcome == "BLOCKED"
    assert screen(beneficiary_ref="MULE-3000").outcome == "APPROVED"


def test_a_backtest_keeps_quiet_what_was_quiet_then(screen: Screen, officer: Any, second_officer: Any) -> None:
    screen()
    allow(officer, second_officer, value="LANDLORD", ends_at=NOON + 2 * DAY)
    fraud.snooze_rule(actor=officer, code=SOFT, who=str(uuid.UUID(int=2)), days=1, reason="Travels", now=NOON)
    for at in (NOON, NOON + DAY, NOON + 3 * DAY):
        for payee in ("LANDLORD", "PAYEE-1"):
            screen(**LARGE, at=at, beneficiary_ref=payee)
            screen(**LARGE, at=at, beneficiary_ref=payee, customer_id=uuid.UUID(int=7), account_ref=uuid.UUID(int=8))
    asked = backtests.request_backtest(
        actor=officer,
        rule_id=Rule.objects.get(code=SOFT).pk,
        from_at=NOON - DAY,
        to_at=NOON + 4 * DAY,
        now=NOON + 4 * DAY,
    )
    result = backtests.run_backtest(backtest_id=asked.pk, now=NOON + 4 * DAY).result
    live = sum(SOFT in [reason["code"] for reason in decision.reasons] for decision in Decision.objects.all())
    assert (result["hits"], result["silenced"]) == (live, SilentHit.objects.count()) == (7, 5)


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_{name}", args=args)


def test_an_entry_is_written_and_approved_without_code(
    officer: Any, second_officer: Any, login: Callable[[Any], Client], screen: Screen
) -> None:
    decision = screen(**LARGE, beneficiary_label="Lena Landlord, DE12")
    author = login(officer)
    seen = author.get(page("decision_change", decision.decision_id)).content.decode()
    assert "Put the payee on a list" in seen
    form = author.get(f"{page('listentry_new')}?decision={decision.decision_id}&kind=PAYEE").content.decode()
    assert "Lena Landlord, DE12" in form
    given = {"listing": "ALLOW", "kind": "PAYEE", "values": "PAYEE-1", "rules": [SOFT], "reason": "The landlord"}
    refused = author.post(page("listentry_new"), given)
    assert refused.status_code == 422
    assert "within a year" in refused.content.decode()
    author.post(page("listentry_new"), {**given, "ends_on": f"{timezone.now() + 30 * DAY:%Y-%m-%d}"})
    entry = ListEntry.objects.get()
    assert author.post(page("listentry_approve", entry.pk), {"reason": "Mine"}).status_code == 422
    login(second_officer).post(page("listentry_approve", entry.pk), {"reason": "I know her"})
    entry.refresh_from_db()
    assert (entry.state, entry.checker) == ("ACTIVE", second_officer)
    assert "I know" not in login(officer).get(page("listentry_change", entry.pk)).content.decode()
    author.post(page("listentry_end", entry.pk), {"reason": "She moved"})
    entry.refresh_from_db()
    assert (entry.state, entry.ended_by) == ("ENDED", officer)


def test_a_rule_is_snoozed_from_the_page_of_a_decision(
    officer: Any, login: Callable[[Any], Client], screen: Screen
) -> None:
    decision = screen(**LARGE)
    browser = login(officer)
    form = browser.get(f"{page('snooze_new')}?decision={decision.decision_id}&rule={SOFT}").content.decode()
    assert str(uuid.UUID(int=2)) in form
    given = {"rule": SOFT, "who": str(uuid.UUID(int=2)), "days": "7", "reason": "On holiday"}
    browser.post(page("snooze_new"), given)
    snooze = Snooze.objects.get()
    assert "Large amount away from home" in browser.get(page("snooze_changelist")).content.decode()
    browser.post(page("snooze_end", snooze.pk), {"reason": "Back home"})
    snooze.refresh_from_db()
    assert snooze.ended_by == officer
