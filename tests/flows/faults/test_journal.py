"""The journal itself: it finds each kind of discrepancy, and nothing where nothing is wrong."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.flows.faults.journal import Entry, Journal, Row, same

START = 1_790_000_000_000_000
Rows = list[Row]


def journal_of(count: int, *, timed: bool = True, acknowledged: bool = True) -> Journal:
    """Reports of two devices in turns."""
    journal = Journal()
    for number in journal.next_numbers(count):
        at = START + number * 1000 if timed else None
        journal.sent(Entry(f"d{number % 2}", number, at, {"n": number, "text": f"ä{number}"}))
    if acknowledged:
        journal.acknowledged(range(count))
    return journal


def rows_of(journal: Journal) -> Rows:
    return [Row(entry.device, START + entry.number * 1000, dict(entry.values)) for entry in journal.good]


def without(place: int) -> Callable[[Rows], Rows]:
    return lambda rows: rows[:place] + rows[place + 1 :]


def replaced(place: int, **changes: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:place], rows[place]._replace(**changes), *rows[place + 1 :]]


def added(row: Row) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows, row]


@pytest.mark.parametrize("timed", [True, False])
def test_where_nothing_is_wrong_nothing_is_reported(timed: bool) -> None:
    journal = journal_of(10, timed=timed)
    wrong = journal.audit(reversed(rows_of(journal)))
    assert not wrong
    assert str(wrong) == "nothing"


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("lost", without(3)),
        ("phantom", added(Row("d0", START, {"n": 99}))),
        ("phantom", added(Row("d0", START, {"other": 1}))),
        ("phantom", added(Row("d0", START, {"n": True}))),
        ("phantom", added(Row("stranger", START, {"n": 2, "text": "ä2"}))),
        ("duplicated", added(Row("d0", START + 5, {"n": 2, "text": "ä2"}))),
        ("altered", replaced(2, at=START + 2001)),
        ("altered", replaced(2, values={"n": 2, "text": "a2"})),
        ("altered", replaced(2, values={"n": 2})),
        ("altered", replaced(2, values={"n": 2, "text": "ä2", "more": 1})),
    ],
)
def test_each_kind_of_discrepancy_is_seen(kind: str, spoil: Callable[[Rows], Rows]) -> None:
    journal = journal_of(10)
    wrong = journal.audit(spoil(rows_of(journal)))
    assert kind in wrong.kinds
    assert wrong.kinds <= {kind, "altered"}  # a second copy at another time is altered too
    assert f"1 {kind}" in str(wrong)


def test_a_report_that_moved_to_another_device_is_lost_here_and_a_phantom_there() -> None:
    journal = journal_of(4)
    assert journal.audit(replaced(1, device="d0")(rows_of(journal))).kinds == {"lost", "phantom"}


def test_the_order_of_what_the_server_timed_is_the_order_of_sending() -> None:
    journal = journal_of(10, timed=False)
    rows = rows_of(journal)
    rows[4], rows[6] = rows[4]._replace(at=rows[6].at), rows[6]._replace(at=rows[4].at)
    assert journal.audit(rows).kinds == {"reordered"}


def test_two_devices_are_not_compared_with_each_other() -> None:
    journal = journal_of(10, timed=False)
    rows = [row._replace(at=row.at + 10**9) if row.device == "d0" else row for row in rows_of(journal)]
    assert not journal.audit(rows)


def test_a_redelivered_report_without_a_time_is_a_duplicate_and_keeps_its_place() -> None:
    journal = journal_of(4, timed=False)
    rows = rows_of(journal)
    assert journal.audit([*rows, rows[0]._replace(at=START + 10**6)]).kinds == {"duplicated"}


def test_what_nobody_acknowledged_may_be_there_or_not() -> None:
    journal = journal_of(6, acknowledged=False)
    assert not journal.audit([])
    assert not journal.audit(rows_of(journal))
    journal.acknowledged([5])
    assert journal.audit([]).lost == ["d1 n=5"]


def test_what_is_missing_can_be_looked_at() -> None:
    journal = journal_of(6)
    assert [entry.number for entry in journal.missing(without(2)(rows_of(journal)))] == [2]


def test_poison_owes_nothing_and_must_not_be_stored() -> None:
    journal = Journal()
    [number] = journal.next_numbers(1)
    journal.sent(Entry("d0", number, START, {"n": number}, poison=True))
    journal.acknowledged([number])
    assert not journal.audit([])
    assert journal.audit([Row("d0", START, {"n": number})]).kinds == {"phantom"}


def latest_of(journal: Journal) -> dict[str, dict[str, tuple[Any, int]]]:
    found: dict[str, dict[str, tuple[Any, int]]] = {}
    for row in rows_of(journal):
        found[row.device] = {name: (value, row.at) for name, value in row.values.items()}
    return found


def test_the_latest_values_are_compared_too() -> None:
    journal = journal_of(10)
    assert not journal.audit_latest(latest_of(journal))


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("reordered", (6, START + 6_000)),
        ("altered", (7, START + 8_000)),
        ("phantom", (8, START + 9_000)),
        ("lost", None),
    ],
)
def test_a_latest_value_that_is_wrong_is_seen(kind: str, entry: tuple[Any, int] | None) -> None:
    journal = journal_of(10)
    latest = latest_of(journal)
    if entry:
        latest["d0"]["n"] = entry
    else:
        del latest["d0"]["n"]
    assert journal.audit_latest(latest).kinds == {kind}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (2**63 - 1, float(2**63), False),
        ("a", "a", True),
        ("1", 1, False),
        ([1, {"a": True}], [1.0, {"a": True}], True),
        ([1, {"a": True}], [1.0, {"a": 1}], False),
        ([1], [1, 2], False),
        ({"a": 1}, {"b": 1}, False),
        (None, None, True),
        (None, False, False),
    ],
)
def test_values_are_equal_as_json_is(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_several_senders_never_get_the_same_number() -> None:
    journal = Journal()
    taken: list[int] = []
    threads = [threading.Thread(target=lambda: taken.extend(n for _ in range(200) for n in journal.next_numbers(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(2400))
