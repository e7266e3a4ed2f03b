"""Poison in the middle of a batch: exactly the poison becomes dead letters, whole, and all others are stored."""

import base64
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.flows.platform import Account, Platform
from tests.services import eventually

from . import sick_database, witness
from .journal import Entry, Journal
from .poison import PRODUCT, REFUSE, SCRIPT, Poison, between, json_poison, lua_poison, poison_in_lists, scattered
from .senders import Mouth
from .talk import Message, Talk
from .trial import eventually_stored

GOOD = 400


@pytest.fixture
def refusing(platform: Platform) -> Iterator[None]:
    """A database that refuses a certain property, which nobody could know before."""
    with sick_database.connect(platform.services) as database:
        database.execute(REFUSE)
        try:
            yield
        finally:
            database.execute("DROP FUNCTION fault_refuse CASCADE")


def letters(platform: Platform, account: Account) -> Counter[tuple[bytes, str]]:
    """All dead letters of a device: payload and reason."""
    found: Counter[tuple[bytes, str]] = Counter()
    query = {"device": account.key, "limit": 500}
    while True:
        page = platform.get("dead-letters/", **query)
        found.update((base64.b64decode(each["payload_base64"]), each["reason"]) for each in page["results"])
        if not page["next"]:
            return found
        query["cursor"] = page["next"]


def shorter(found: Counter[tuple[bytes, str]]) -> dict[tuple[bytes, str], int]:
    return {(payload[:80], reason): count for (payload, reason), count in found.items()}


def say_in_one_batch(platform: Platform, mouth: Mouth, words: list[tuple[Message, str]], chance: random.Random) -> None:
    """While the database holds up the batch before, all of this waits and is the next one."""
    with sick_database.locked(platform.services, chance):
        for message, kind in words:
            mouth.say(message, mouth.account.topic(kind))
        eventually(mouth.is_settled)


def verify(platform: Platform, account: Account, journal: Journal, bad: list[Poison]) -> None:
    eventually_stored(platform, journal, [account.key])
    wrong = journal.audit(witness.sql_rows(platform.services, [account.key]))
    assert not wrong, wrong
    wanted = Counter((poison.payload, poison.reason) for poison in bad)
    eventually(lambda: letters(platform, account).total() >= len(bad))
    found = letters(platform, account)
    assert (shorter(found - wanted), shorter(wanted - found)) == ({}, {})
    counts = witness.ledger(platform.services, [account.key])
    assert witness.is_identity(counts), counts
    assert (counts["stored"], counts["dead_lettered"], counts["duplicate"]) == (len(journal.good), len(bad), 0), counts
    eventually(lambda: witness.identity_holds(platform))


def worded(talk: Talk, poison: Poison | None) -> tuple[Message, str]:
    """A message and its kind; a good one where there is no poison."""
    if poison is None:
        return talk.message(), "telemetry"
    if poison.listed:
        return between(talk.message(), poison, talk.message()), poison.kind
    return Message(poison.payload, []), poison.kind


def test_poison_among_json(platform: Platform, refusing: None, seed: int) -> None:
    chance = random.Random(seed)
    account = platform.device(platform.product(**PRODUCT))
    journal = Journal()
    talk = Talk(account.key, journal, str(seed))
    now = int(time.time() * 1000)
    bad = json_poison(now) + poison_in_lists(now)
    words = [worded(talk, word) for word in scattered(chance, GOOD, bad)]
    mouth = Mouth(platform.services.mqtt_port, account, journal)
    try:
        say_in_one_batch(platform, mouth, words, chance)
        verify(platform, account, journal, bad)
    finally:
        mouth.close()


def test_poison_among_the_frames_of_a_script(platform: Platform, seed: int) -> None:
    chance = random.Random(seed)
    script = SCRIPT % f"{seed} {time.time_ns()}"  # a script of its own, so that its hangs count for nobody else
    account = platform.device(platform.product(**PRODUCT, codec={"kind": "lua", "script": script}))
    journal = Journal()
    start = int(time.time() * 1000) - 10_000
    bad = lua_poison()
    words = [(Message(word.payload, []) if word else frame(account, journal, start), "raw") for word in scattered(chance, GOOD, bad)]
    mouth = Mouth(platform.services.mqtt_port, account, journal)
    try:
        say_in_one_batch(platform, mouth, words, chance)
        verify(platform, account, journal, bad)
    finally:
        mouth.close()


def frame(account: Account, journal: Journal, start: int) -> Message:
    """A frame that the script understands."""
    [number] = journal.next_numbers(1)
    journal.sent(Entry(account.key, number, (start + number) * 1000, {"n": number}))
    return Message(b"good %d %d" % (number, start + number), [number])


def test_a_script_that_hangs_is_left_out_and_nobody_waits_for_it(platform: Platform, seed: int) -> None:
    """More hangs than a script may have: its frames are dead letters, ready for a replay; other devices are stored."""
    chance = random.Random(seed)
    script = SCRIPT % f"{seed} {time.time_ns()}"
    sick, well = (platform.device(platform.product(**PRODUCT, codec={"kind": "lua", "script": script})), platform.device())
    journal = Journal()
    talk = Talk(well.key, journal, str(seed))
    hangs = [Poison(b"hang %d 1" % number, "codec_timeout", "raw") for number in range(50)]
    mouths = [Mouth(platform.services.mqtt_port, account, journal) for account in (sick, well)]
    try:
        for word in scattered(chance, GOOD, hangs):
            if word:
                mouths[0].say(Message(word.payload, []), sick.topic("raw"))
            else:
                mouths[1].say(talk.message())
        for mouth in mouths:
            eventually(mouth.is_settled)
        verify(platform, well, journal, [])
        verify(platform, sick, Journal(), hangs)
    finally:
        for mouth in mouths:
            mouth.close()
