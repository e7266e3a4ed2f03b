"""What waits for one connection."""

import asyncio
from typing import Any

from telemetry.live import mailbox as module
from telemetry.live.mailbox import Mailbox
from telemetry.live.wire import Reading, Status

AT = 1_767_225_600_000_000


def make_mailbox(**filters: frozenset[str] | None) -> Mailbox:
    mailbox = Mailbox()
    for number, (key, wanted) in enumerate(filters.items(), start=1):
        mailbox.names[number] = key
        mailbox.filters[number] = wanted
    return mailbox


def test_it_speaks_in_keys_and_milliseconds() -> None:
    mailbox = make_mailbox(freezer=None)
    mailbox.put(Reading(1, "t", AT, -18.5))
    mailbox.put(Reading(1, "exact", AT + 1, 1))
    assert mailbox.take() == [
        {"type": "readings", "data": [["freezer", "t", 1_767_225_600_000, -18.5], ["freezer", "exact", 1_767_225_600_000.001, 1]]}
    ]


def test_it_counts_what_was_passed_over_for_newer_values() -> None:
    mailbox = make_mailbox(freezer=None)
    for number in range(100):
        mailbox.put(Reading(1, "t", AT + number, number, 2))
    (message,) = mailbox.take()
    assert message["data"] == [["freezer", "t", 1_767_225_600_000.099, 99]]
    assert message["skipped"] == 199
    assert mailbox.take() == []


def test_it_keeps_only_the_properties_that_are_wanted() -> None:
    mailbox = make_mailbox(freezer=frozenset({"t"}))
    mailbox.put(Reading(1, "t", AT, 1))
    mailbox.put(Reading(1, "h", AT, 1))
    mailbox.put(Reading(7, "t", AT, 1))
    assert [row[1] for row in mailbox.take()[0]["data"]] == ["t"]


def test_what_the_database_has_is_news_only_if_it_is_newer() -> None:
    mailbox = make_mailbox(freezer=None)
    mailbox.put(Reading(1, "t", AT, "live"))
    mailbox.take()
    mailbox.fill(Reading(1, "t", AT, "the same again"))
    mailbox.fill(Reading(1, "t", AT - 1, "older"))
    assert mailbox.take() == []
    mailbox.fill(Reading(1, "t", AT + 1, "missed"))
    assert mailbox.take()[0]["data"][0][3] == "missed"


def test_a_state_from_the_database_does_not_replace_a_newer_one() -> None:
    mailbox = make_mailbox(freezer=None)
    mailbox.put_status(Status(1, "freezer", 1, True, AT))
    mailbox.fill_status(Status(1, "freezer", 1, False, AT - 1))
    assert mailbox.take() == [{"type": "status", "data": [["freezer", True, 1_767_225_600_000]]}]


def test_only_the_last_state_of_a_device_is_told() -> None:
    mailbox = make_mailbox(freezer=None)
    for online in (True, False, True, False):
        mailbox.put_status(Status(1, "freezer", 1, online, AT))
    assert mailbox.take()[0]["data"] == [["freezer", False, 1_767_225_600_000]]


def test_raw_frames_are_bounded_too(monkeypatch: Any) -> None:
    mailbox = make_mailbox(freezer=None)
    for number in range(module.FRAMES + 3):
        mailbox.put_frame(1, {"n": number})
    (message,) = mailbox.take()
    assert message["skipped"] == 3
    assert message["data"][-1] == {"device": "freezer", "n": module.FRAMES + 2}
    assert len(message["data"]) == module.FRAMES


def test_forgetting_a_device_drops_what_waits_of_it() -> None:
    mailbox = make_mailbox(freezer=None, fridge=None)
    mailbox.put(Reading(1, "t", AT, 1))
    mailbox.put(Reading(2, "t", AT, 1))
    mailbox.forget({1})
    mailbox.put(Reading(1, "t", AT, 2))
    assert [row[0] for row in mailbox.take()[0]["data"]] == ["fridge"]


def test_who_waits_is_woken() -> None:
    async def scenario() -> None:
        mailbox = make_mailbox(freezer=None)
        waiting = asyncio.create_task(mailbox.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        mailbox.put(Reading(1, "t", AT, 1))
        await asyncio.wait_for(waiting, 5)

    asyncio.run(scenario())
