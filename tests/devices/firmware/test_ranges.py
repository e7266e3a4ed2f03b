"""HTTP ranges: what is sent for what was asked."""

import pytest

from devices.firmware.ranges import Part, Unsatisfiable, part_of

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-99", Part(0, 100)),
        ("bytes=900-", Part(900, 100)),
        ("bytes=900-5000", Part(900, 100)),
        ("bytes=-10", Part(990, 10)),
        ("bytes=-5000", Part(0, 1000)),
        ("Bytes = 1-1", Part(1, 1)),
        ("bytes=999-999", Part(999, 1)),
    ],
)
def test_one_range(header: str, part: Part) -> None:
    assert part_of(1000, header, None, ETAG) == part


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=1-2-3", "x" * 9999]
)
def test_what_is_no_single_range_is_answered_whole(header: str | None) -> None:
    assert part_of(1000, header, None, ETAG) == Part(0, 1000, is_whole=True)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_what_is_not_there(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        part_of(1000, header, None, ETAG)


def test_a_range_of_an_image_that_has_changed_is_the_whole_new_one() -> None:
    assert part_of(1000, "bytes=500-", ETAG, ETAG) == Part(500, 500)
    assert part_of(1000, "bytes=500-", '"old"', ETAG).is_whole
    assert part_of(1000, "bytes=500-", 'W/"abc"', ETAG).is_whole, "a weak one proves nothing"
