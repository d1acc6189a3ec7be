"""Staff read the ledger; nobody changes it there."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bankportal import office
from identity.permissions import Role
from ledger import services
from ledger.services import Leg
from tests.conftest import make_user
from tests.ledger.conftest import seal_everything

pytestmark = pytest.mark.django_db

LISTS = ("entry", "ledgeraccount", "hold", "glcode", "seal")
REPORTS = ("trialbalance", "balancesheet", "incomestatement")


@pytest.fixture
def lender(db):
    """Staff who may not see the ledger."""
    return make_user("lending@bank.example", Role.LENDING)


@pytest.fixture
def entry(customer, fees, source):
    payer, payee = customer(10_000), customer()
    return services.post_entry(
        external_ref=uuid4(), legs=[Leg(payer, -1_050), Leg(payee, 1_000), Leg(fees, 50)], **source
    ).entry_id


@pytest.mark.parametrize("model", LISTS)
def test_an_auditor_reads_every_list_and_a_customer_none(model, auditor, alice, entry, login):
    url = reverse(f"admin:ledger_{model}_changelist")
    assert login(auditor).get(url).status_code == 200
    assert login(alice).get(url).status_code in (302, 403, 404)


def test_an_entry_shows_its_legs_on_their_sides(auditor, entry, login):
    page = login(auditor).get(reverse("admin:ledger_entry_change", args=[entry])).content.decode()
    assert "ledger-legs" in page
    for text in ("10.50", "10.00", "0.50"):
        assert text in page


def test_an_account_shows_its_balance_and_newest_postings(auditor, customer, cash, login):
    account = customer(12_345)
    page = login(auditor).get(reverse("admin:ledger_ledgeraccount_change", args=[account])).content.decode()
    assert page.count("123.45") >= 3
    assert "Rent" in page
    bank = login(auditor).get(reverse("admin:ledger_ledgeraccount_change", args=[cash])).content.decode()
    assert "123.45" in bank


def test_a_hold_shows_how_it_ended(auditor, hold, now, login):
    url = reverse("admin:ledger_hold_change", args=[hold])
    assert "Still active" in login(auditor).get(url).content.decode()
    services.void_hold(hold_id=hold, now=now)
    assert "Voided on 02 Mar 2026" in login(auditor).get(url).content.decode()


@pytest.fixture
def hold(customer, now):
    return services.place_hold(
        external_ref=uuid4(),
        account_id=customer(1_000),
        amount_minor=250,
        expires_at=now + timedelta(days=1),
        source_kind="transfer",
        source_id="7",
        now=now,
    ).hold_id


@pytest.fixture
def seal(entry, as_owner):
    """A seal over no entry at all, put there by hand: this test's own rows are not committed, so none can be made."""
    with as_owner() as cursor:
        cursor.execute(
            "INSERT INTO ledger_seal (number, previous, start, cut, entries, first_entry, last_entry, rows_digest, digest)"
            " VALUES (1, repeat('0', 64), '0', '9', 1, 1, 1, repeat('a', 64), repeat('b', 64))"
        )
    return 1


@pytest.mark.parametrize("model", LISTS)
def test_nobody_adds_changes_or_deletes(model, administrator, auditor, customer, entry, hold, seal, login):
    ids = {"entry": entry, "ledgeraccount": customer(), "hold": hold, "glcode": "1000", "seal": seal}
    for user in (administrator, auditor):
        browser = login(user)
        assert browser.get(reverse(f"admin:ledger_{model}_add")).status_code == 403
        for page in ("change", "delete"):
            url = reverse(f"admin:ledger_{model}_{page}", args=[ids[model]])
            assert browser.post(url, {"post": "yes"}).status_code == 403


def test_search_finds_by_number_and_by_reference(auditor, customer, pay, login):
    ref = uuid4()
    first = pay(customer(100), customer(), 11, external_ref=ref).entry_id
    url = reverse("admin:ledger_entry_changelist")
    for term in (str(first), str(ref)):
        result = login(auditor).get(url, {"q": term}).context["cl"].result_list
        assert [entry.pk for entry in result] == [first]
    assert len(login(auditor).get(url, {"q": "'; DROP TABLE"}).context["cl"].result_list) == 0


@pytest.mark.parametrize("model", ["entry", "ledgeraccount"])
def test_lists_ask_the_same_questions_whatever_their_length(model, auditor, customer, pay, login):
    browser = login(auditor)
    url = reverse(f"admin:ledger_{model}_changelist")
    a, b = customer(1_000), customer()
    pay(a, b, 1)
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    for _ in range(20):
        pay(a, b, 1)
        customer()
    with CaptureQueriesContext(connection) as many:
        browser.get(url)
    # The menu's counts of what waits are among them.
    assert len(many) == len(few) <= 17


@pytest.mark.parametrize("report", REPORTS)
def test_an_auditor_reads_every_report_and_others_none(report, auditor, alice, lender, entry, login):
    url = reverse(f"admin:ledger_{report}_changelist")
    page = login(auditor).get(url)
    assert page.status_code == 200
    assert login(alice).get(url).status_code in (302, 403, 404)
    assert login(lender).get(url).status_code == 403


def test_a_report_is_the_one_active_item_of_the_navigation(auditor, rf):
    for report in (*REPORTS, "glcode", "seal"):
        url = reverse(f"admin:ledger_{report}_changelist")
        request = rf.get(url)
        request.user = auditor
        items = [item for group in office.navigation(request) for item in group["items"]]
        assert [item["link"] for item in items if item["active"]] == [url]


def test_a_trial_balance_says_that_its_sides_agree(auditor, entry, now, login):
    url = reverse("admin:ledger_trialbalance_changelist")
    page = login(auditor).get(url, {"day": "2026-03-02"}).content.decode()
    assert "Debits equal credits." in page
    assert page.count("€100.00") >= 3
    assert "Nothing was posted in this time." in login(auditor).get(url, {"day": "2026-03-01"}).content.decode()
    assert login(auditor).get(url, {"day": "yesterday"}).status_code == 422


def test_a_period_that_ends_before_it_begins_is_refused(auditor, login):
    url = reverse("admin:ledger_incomestatement_changelist")
    page = login(auditor).get(url, {"first": "2026-03-05", "last": "2026-03-01"})
    assert page.status_code == 422
    assert "ends before it begins" in page.content.decode()


def test_reports_download_as_harmless_csv(auditor, customer, pay, login):
    account = customer(10_000)
    pay(account, customer(), 1_050, description='=HYPERLINK("http://x")')
    url = reverse("admin:ledger_generalledger", args=[account])
    answer = login(auditor).get(url, {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    text = answer.content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert ",10.50," in text
    trial = login(auditor).get(reverse("admin:ledger_trialbalance_changelist"), {"format": "csv", "day": "2026-03-02"})
    assert 'filename="trial-balance-20260302.csv"' in trial["Content-Disposition"]
    assert "100.00" in trial.content.decode()


def test_the_general_ledger_leads_to_its_entries_and_pages(auditor, customer, pay, cash, login):
    account = customer(10_000)
    for _ in range(55):
        pay(account, cash, 1)
    for each in (account, cash):
        url = reverse("admin:ledger_generalledger", args=[each])
        page = login(auditor).get(url)
        assert page.content.decode().count("/admin/ledger/entry/") >= 50
        older = login(auditor).get(url + page.context["older"]).content.decode()
        assert "Older postings" not in older
    assert login(auditor).get(reverse("admin:ledger_generalledger", args=[999_999_999])).status_code == 404


def test_the_general_ledger_reads_well_on_the_page_and_in_a_spreadsheet(auditor, customer, pay, cash, login):
    account = customer(10_000)
    pay(account, cash, 1_050, kind="own_transfer")
    url = reverse("admin:ledger_generalledger", args=[account])
    page = login(auditor).get(url).content.decode()
    assert "2 Mar 2026, 09:30" in page
    assert "Own transfer" in page
    assert "2026-03-02 09:30,2026-03-02," in login(auditor).get(url, {"format": "csv"}).content.decode()


def test_the_chart_says_what_accounts_a_code_has_and_leads_to_them(auditor, customer, login):
    customer(100)
    browser = login(auditor)
    chart = browser.get(reverse("admin:ledger_glcode_changelist")).content.decode()
    assert "One of the bank&#x27;s for each currency" in chart
    accounts = f"{reverse('admin:ledger_ledgeraccount_changelist')}?gl_code__code__exact=2100"
    assert f'href="{accounts}">One for each account of a customer</a>' in chart
    listed = browser.get(accounts).context["cl"].result_list
    assert {account.gl_code_id for account in listed} == {"2100"}


def test_an_entry_says_whether_it_is_sealed(auditor, entry, seal, login):
    url = reverse("admin:ledger_entry_change", args=[entry])
    assert "Not sealed yet" in login(auditor).get(url).content.decode()


def test_a_block_is_verified_on_request(auditor, lender, seal, login):
    url = reverse("admin:ledger_seal_verify", args=[seal])
    assert "not as it was sealed" in login(auditor).get(url).content.decode()
    assert login(lender).get(url).status_code == 403
    assert login(auditor).get(reverse("admin:ledger_seal_verify", args=[77])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_sealed_entry_leads_to_its_block_and_the_block_is_intact(auditor, entry, login):
    from ledger.models import Seal

    seal_everything()
    browser = login(auditor)
    page = browser.get(reverse("admin:ledger_entry_change", args=[entry])).content.decode()
    number = Seal.objects.order_by("-number")[0].number
    assert f"block {number}</a>, hash" in page
    verified = browser.get(reverse("admin:ledger_seal_verify", args=[number])).content.decode()
    assert "as they were sealed on" in verified
    found = browser.get(reverse("admin:ledger_seal_changelist"), {"q": str(entry)}).context["cl"].result_list
    assert [seal.pk for seal in found] == [number]
