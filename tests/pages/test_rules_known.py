"""What the strip says of the past that it knew."""

from typing import Any

import pytest
from django.utils import translation

from iotpanel.pages.rules.known import known_words

START, END, SOON = 0.0, 10_000.0, 150.0


def said(*known: tuple[str, float | None, float | None, int], assumed: tuple[str, ...] = ()) -> list[Any]:
    kinds = [dict(zip(("kind", "since", "since_all", "devices_unknown"), each, strict=True)) for each in known]
    return [line[0] for line in known_words({"known": kinds, "assumed": assumed}, START, END)]


def test_what_is_known_throughout_is_one_line() -> None:
    assert said(("readings", 0.0, SOON, 0), ("presence", 0.0, 0.0, 0)) == ["Known for the whole time: readings, online and offline."]
    with translation.override("zh-hans"):
        assert said(("readings", 0.0, SOON, 0), ("presence", 0.0, 0.0, 0)) == ["整段时间均已知：读数、在线与离线。"]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ((None, None, 3), "Online and offline: nothing is known."),
        ((5_000.0, 5_000.0, 0), "Online and offline: known from TIME on."),
        ((5_000.0, 5_100.0, 1), "Online and offline: known from TIME on. Of 1 device nothing is known."),
        ((2_000.0, 9_000.0, 0), "Online and offline: known from TIME on at the earliest, from LATER on at the latest."),
        ((0.0, 0.0, 2), "Online and offline: known for the whole time. Of 2 devices nothing is known."),
        (
            (0.0, 9_000.0, 0),
            "Online and offline: known for the whole time of some devices, of others from LATER on at the latest.",
        ),
    ],
)
def test_what_is_known_in_part_says_from_when_on(known: tuple[float | None, float | None, int], words: str) -> None:
    first, neither = said(("presence", *known))
    assert first == words
    assert neither.startswith("What is not known is neither so")


def test_what_was_assumed_is_said_too() -> None:
    assert said(assumed=("groups and labels count as they are now",)) == [
        "Not as it would have been: groups and labels count as they are now."
    ]
