"""Word between processes, as it is written and read."""

import pytest

from devices.downlink import wake
from devices.downlink.listener import Listener
from devices.downlink.wake import PORTION, Word, read


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ("*", Word(everything=True)),
        ("1 22", Word(devices=frozenset({1, 22}))),
        ("c 1 22", Word(commanded=frozenset({1, 22}))),
    ],
)
def test_what_is_said_is_heard(payload: str, word: Word) -> None:
    assert read(payload) == word


def test_a_great_many_are_said_in_portions_that_postgresql_takes() -> None:
    ids = [10**19 + number for number in range(PORTION + 1)]
    portions = wake._portions(wake.DEVICES, ids, wake.COMMANDS)

    assert [len(read(payload).commanded) for _, payload in portions] == [PORTION, 1]
    assert all(len(payload) < 8_000 for _, payload in portions)


def test_the_listener_keeps_what_was_said_until_it_is_taken() -> None:
    listener = Listener(lambda: None)
    assert listener.take().everything  # what happened before anybody listened

    listener._note(read("c 1"))
    listener._note(read("2"))
    listener._note(read("c 2"))
    assert listener.take() == Word(frozenset({1, 2}), frozenset({2}))
    assert listener.take() == Word()
