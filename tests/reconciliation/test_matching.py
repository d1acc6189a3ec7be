"""The rules of matching: what is beyond doubt is proposed, the rest is left to people."""

from __future__ import annotations

from datetime import date, timedelta
from time import process_time

from reconciliation.rules.matching import Item, Proposal, propose

DAY = date(2026, 3, 5)


def line(key: str, amount: int, day: int = 0, text: str = "") -> Item:
    return Item(key, amount, DAY + timedelta(days=day), text)


def test_a_reference_beats_the_same_amount_on_the_same_day() -> None:
    lines = [line("l1", 100, text="ref ABC-1234567")]
    postings = [line("p1", 100), line("p2", 100, 2, "payment abc-1234567")]
    assert propose(lines, postings) == [Proposal(("l1",), ("p2",), "REFERENCE")]


def test_a_reference_with_another_amount_is_no_match() -> None:
    assert propose([line("l1", 100, text="ABC-1234567")], [line("p1", 101, text="ABC-1234567")]) == []


def test_a_plain_word_is_no_reference() -> None:
    postings = [line("p1", 100, 1, "Deposit"), line("p2", 100, -1, "Deposit number")]
    assert propose([line("l1", 100, text="Deposit")], postings[:1])[0].rule == "AMOUNT"
    assert propose([line("l1", 100, text="Deposit")], postings) == []


def test_the_only_one_of_its_amount_within_the_window_matches() -> None:
    assert propose([line("l1", 100)], [line("p1", 100, 5)]) == [Proposal(("l1",), ("p1",), "AMOUNT")]
    assert propose([line("l1", 100)], [line("p1", 100, 6)]) == []
    assert propose([line("l1", 100)], [line("p1", -100)]) == []


def test_two_possible_answers_are_left_to_people() -> None:
    assert propose([line("l1", 100)], [line("p1", 100, 1), line("p2", 100, -1)]) == []
    assert propose([line("l1", 100, 1), line("l2", 100, -1)], [line("p1", 100)]) == []


def test_as_many_as_many_on_one_day_are_paired() -> None:
    found = propose([line("l1", 100), line("l2", 100)], [line("p1", 100), line("p2", 100)])
    assert {proposal.lines + proposal.postings for proposal in found} == {("l1", "p1"), ("l2", "p2")}


def test_one_line_for_several_postings() -> None:
    found = propose([line("l1", 600)], [line("p1", 100), line("p2", 200, 1), line("p3", 300, 2), line("p4", 450)])
    assert found == [Proposal(("l1",), ("p1", "p2", "p3"), "SUM")]


def test_a_days_batch_of_many_postings() -> None:
    postings = [line(f"p{number}", number) for number in range(1, 41)]
    found = propose([line("l1", sum(range(1, 41)))], postings)
    assert found == [Proposal(("l1",), tuple(f"p{number}" for number in range(1, 41)), "SUM")]


def test_several_lines_for_one_posting() -> None:
    found = propose([line("l1", -100), line("l2", -250, 1)], [line("p1", -350)])
    assert found == [Proposal(("l1", "l2"), ("p1",), "SUM")]


def test_two_groups_with_the_sum_are_left_to_people() -> None:
    assert propose([line("l1", 300)], [line("p1", 100), line("p2", 200), line("p3", 150), line("p4", 150)]) == []


def test_many_equal_amounts_take_no_long_time() -> None:
    started = process_time()
    lines = [line(f"l{number}", 100 + number % 7, number % 20) for number in range(4_000)]
    postings = [line(f"p{number}", 100 + number % 5, number % 20) for number in range(4_000)]
    keys = [key for proposal in propose(lines, postings) for key in (*proposal.lines, *proposal.postings)]
    assert len(keys) == len(set(keys))
    assert process_time() - started < 60
