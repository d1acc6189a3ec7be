from __future__ import annotations

import stat
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from common import seals

MOMENT = datetime(2026, 11, 21, 12, 30, 1, 5, tzinfo=UTC)
ROWS: list[list[Any]] = [[1, "a", None, {"x": 1}], [2, "b", MOMENT, [1, 2]], [3, "c", date(2026, 1, 1), b"raw"]]


def digest_of(rows: list[list[Any]]) -> str:
    block = seals.Block()
    for row in rows:
        block.add(row)
    return block.digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab", "c"], ["a", "bc"]),
        (["1"], [1]),
        ([True], [1]),
        ([None], [""]),
        (["n"], [None]),
        ([b"a"], ["a"]),
        ([{"a": 1}], ['{"a":1}']),
        ([[]], [{}]),
        ([uuid.UUID(int=1)], [str(uuid.UUID(int=1))]),
    ],
)
def test_different_values_never_look_alike(one: list[Any], other: list[Any]) -> None:
    assert seals.encode(one) != seals.encode(other)


def test_one_moment_is_one_moment_in_every_zone_and_keys_have_no_order() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert seals.encode([MOMENT, {"a": 1, "b": 2}]) == seals.encode([elsewhere, {"b": 2, "a": 1}])


@pytest.mark.parametrize("value", [1.5, datetime(2026, 1, 1), object(), {1, 2}])
def test_what_has_no_single_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        seals.encode([value])


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param([ROWS[0], ROWS[1]], id="cut"),
        pytest.param([ROWS[1], ROWS[0], ROWS[2]], id="swapped"),
        pytest.param([*ROWS, [4, "d"]], id="added"),
        pytest.param([ROWS[0], [2, "B", *ROWS[1][2:]], ROWS[2]], id="one letter"),
        pytest.param([ROWS[0] + ROWS[1], ROWS[2]], id="two rows made one"),
    ],
)
def test_any_change_of_a_block_changes_its_digest(changed: list[list[Any]]) -> None:
    assert digest_of(changed) != digest_of(ROWS)


def test_a_seal_depends_on_all_it_names() -> None:
    told = {"previous": seals.GENESIS, "number": 1, "start": 0, "end": 10, "count": 3, "rows": digest_of(ROWS)}
    others = [
        seals.chained(**{**told, name: value})
        for name, value in {"previous": "1" * 64, "number": 2, "start": 1, "end": 11, "count": 4, "rows": ""}.items()
    ]
    assert len({seals.chained(**told), *others}) == 7
    assert seals.chained(**told) == seals.chained(**told)


def test_heads_are_appended_and_read_back(tmp_path: Path) -> None:
    file = seals.HeadFile(tmp_path / "seals" / "audit.jsonl")
    heads = [seals.Head(number, number * 10, f"{number:064x}", "2026-11-21T12:00:00+00:00") for number in (1, 2, 3)]

    assert list(file) == []
    assert file.last() is None
    file.append(heads[:1])
    file.append(heads[1:])

    assert list(file) == heads
    assert file.last() == heads[-1]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_line_that_is_no_head_is_named(tmp_path: Path) -> None:
    file = seals.HeadFile(tmp_path / "audit.jsonl")
    file.append([seals.Head(1, 1, "0" * 64, "2026-11-21T12:00:00+00:00")])
    with file.path.open("a") as handle:
        handle.write('{"number": 2}\n')

    with pytest.raises(seals.HeadFileBroken, match="line 2"):
        file.last()


def test_the_newest_head_of_a_long_file_is_read_from_its_end(tmp_path: Path) -> None:
    file = seals.HeadFile(tmp_path / "audit.jsonl")
    assert file.last() is None
    heads = [
        seals.Head(number=n, count=1, digest=f"{n:064x}", sealed_at="2026-11-21T12:30:01+00:00") for n in range(1, 201)
    ]
    for head in heads:
        file.append([head])
        assert file.last() == head
    with file.path.open("a") as broken:
        broken.write("{\n")
    with pytest.raises(seals.HeadFileBroken, match="line 201"):
        file.last()
