"""Versions: which is newer, which are the same, and what is none."""

import itertools

import pytest

from devices.firmware.versions import are_same, is_older, is_version, parse

# As semver.org has them, and some looser ones in between.
ASCENDING = [
    *["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],
    *["1.0.0.1", "v1.0.2", "1.2", "1.10.0", "2", "10.0.0"],
]


def test_the_order_is_that_of_numbers_not_of_letters() -> None:
    for one, other in itertools.combinations(ASCENDING, 2):
        assert is_older(one, other), (one, other)
        assert not is_older(other, one), (one, other)


@pytest.mark.parametrize(("one", "other"), [("1.2", "1.2.0"), ("v1.2.0", "1.2.0"), ("1.0.0-rc.1", "1.0.0-rc.1"), ("01.2", "1.2")])
def test_the_same_version_written_otherwise(one: str, other: str) -> None:
    assert are_same(one, other)
    assert not is_older(one, other)


def test_another_build_is_another_version_and_no_newer_one() -> None:
    assert not are_same("1.0.0+1", "1.0.0+2")
    assert parse("1.0.0+1").order == parse("1.0.0+2").order


@pytest.mark.parametrize(
    "text", ["", "1.", "a", "1.2.3.4.5", "1..2", "1.2-", "1.2+", "1.2/3", "٣.1", "1.2 ", "1" * 65, "1.2\n", "-1.0", None, 1]
)
def test_what_is_no_version(text: object) -> None:
    assert not is_version(text)


def test_nobody_can_tell_whether_a_word_is_older() -> None:
    assert not is_older("factory", "1.0.0")
    assert not is_older("1.0.0", "factory")
    assert are_same("factory", "factory")
