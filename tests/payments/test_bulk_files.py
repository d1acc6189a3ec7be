"""What is read from an uploaded file, and what is refused with its row and column."""

from __future__ import annotations

import pytest

from payments.errors import BulkFileUnreadable
from payments.rules import bulk_files

HEADING = "name,account,amount,reference\n"


def problems(data: bytes | str, currency: str = "EUR") -> list[tuple[int, str]]:
    with pytest.raises(BulkFileUnreadable) as refusal:
        bulk_files.read(data.encode() if isinstance(data, str) else data, currency=currency)
    assert refusal.value.field == "file"
    return [(each["row"], each["column"]) for each in refusal.value.data["problems"]]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_reads_both_delimiters_with_and_without_a_mark(mark: bytes, delimiter: str) -> None:
    lines = [["Account", " AMOUNT ", "name"], ["bp12 3456", "12.5", "Ásha  Köhler"], ["", "", ""], ["BP99", "3", "Bo"]]
    data = mark + "\r\n".join(delimiter.join(line) for line in lines).encode()
    first, second = bulk_files.read(data, currency="EUR")
    assert (first.number, first.name, first.account) == (2, "Ásha Köhler", "BP123456")
    assert (first.amount.amount_minor, first.reference, first.currency) == (1250, "", "")
    assert (second.number, second.amount.amount_minor) == (4, 300)


def test_reads_a_decimal_comma_and_quoted_cells() -> None:
    data = 'name;account;amount;currency;reference\n"Baker; Sons";BP1;1250,00;eur;"He said ""now"""\n'
    (row,) = bulk_files.read(data.encode(), currency="EUR")
    assert (row.name, row.amount.amount_minor, row.currency) == ("Baker; Sons", 125_000, "EUR")
    assert row.reference == 'He said "now"'


AMBIGUOUS = [
    "",
    "0",
    "0.00",
    "-5",
    "+5",
    "1,000.00",
    "1.000",
    "1 000",
    "1e3",
    "NaN",
    "0x10",
    "１０",
    "12.345",
    "5.",
    ".5",
    "99999999999999",
    "=1+1",
    "€5",
]


@pytest.mark.parametrize("amount", AMBIGUOUS)
def test_refuses_an_amount_that_could_mean_something_else(amount: str) -> None:
    assert problems(f'{HEADING}Bo,BP1,"{amount}",x\n') == [(2, "amount")]


def test_amounts_have_the_decimals_of_the_currency() -> None:
    assert problems("name,account,amount\nBo,BP1,10.5\n", "JPY") == [(2, "amount")]
    (row,) = bulk_files.read(b"name,account,amount\nBo,BP1,105\n", currency="JPY")
    assert row.amount.amount_minor == 105


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", [(1, "name")]),
        (b"\n\n  \n", [(1, "name")]),
        (b"name,account,amount\n", [(0, "")]),
        (b"name,account\nBo,BP1\n", [(1, "amount")]),
        (b"name,account,amount,amount\nBo,BP1,1,2\n", [(1, "amount")]),
        (b"name,account,amount,iban code\nBo,BP1,1,2\n", [(1, "“iban code”")]),
        (b"name,account,amount\nBo,BP1,1,more\n", [(2, "")]),
        (b"name,account,amount\nBo,BP1\n", [(2, "amount")]),
        (b"name,account,amount\nBo,,1\n ,BP1,1\n", [(2, "account"), (3, "name")]),
        (b"name,account,amount\nB\xe9,BP1,1\n", [(2, "")]),
        ("name,account,amount\nBo,BP1,1\n".encode("utf-16"), [(1, "")]),
        (b"name,account,amount\nBo,BP1,1\nBo\x00,BP1,1\n", [(3, "")]),
        (b'name,account,amount\n"Bo\nBaker",BP1,1\n', [(3, "name")]),
        ("name,account,amount\nBo\u202e,BP1,1\n".encode(), [(2, "name")]),
        (b"name,account,amount\nBo\tX,BP1,1\n", [(2, "name")]),
        (b'name,account,amount\n"Bo,BP1,1\n', [(2, "")]),
        (b'name,account,amount\n"Bo"x,BP1,1\n', [(2, "")]),
        (b"name,account,amount\n" + b"B" * 141 + b",BP1,1\n", [(2, "name")]),
        (b"PK\x03\x04\x14\x00\x06\x00", [(1, "")]),
    ],
)
def test_names_the_row_and_the_column(data: bytes, found: list[tuple[int, str]]) -> None:
    assert problems(data) == found


def test_tells_twenty_problems_and_how_many_more() -> None:
    with pytest.raises(BulkFileUnreadable) as refusal:
        bulk_files.read((HEADING + "Bo,BP1,none,\n" * 30).encode(), currency="EUR")
    assert (len(refusal.value.data["problems"]), refusal.value.data["more"]) == (20, 10)
    assert refusal.value.text.startswith("Row 2, column amount: ")


def test_refuses_too_many_rows_and_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_files, "MAX_ROWS", 3)
    assert len(bulk_files.read((HEADING + "Bo,BP1,1,\n" * 3).encode(), currency="EUR")) == 3
    assert problems(HEADING + "Bo,BP1,1,\n" * 4) == [(5, "")]
    assert problems(b"x" * (bulk_files.MAX_BYTES + 1)) == [(0, "")]


def test_a_cell_of_megabytes_is_refused() -> None:
    assert problems(HEADING + '"' + "x" * 900_000 + '",BP1,1,\n') in ([(2, "")], [(2, "name")])
