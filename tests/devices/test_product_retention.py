"""How long rollups are kept, by product and by property."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from devices.product_retention import clean_rollups


def test_days_by_level_and_property() -> None:
    value = {"minute": 30, "hour": None, "properties": {"energy": {"minute": 365, "day": None}}}
    assert clean_rollups(value) == {"minute": 30, "properties": {"energy": {"minute": 365}}}
    assert clean_rollups({}) == {}
    assert clean_rollups({"day": 1, "properties": None}) == {"day": 1}


@pytest.mark.parametrize(
    "value",
    [[], {"week": 1}, {"minute": "30"}, {"minute": True}, {"minute": 0}, {"minute": 10**9}, {"properties": []}, {"properties": {"t": 5}},
     {"properties": {"t": {"week": 1}}}, {"properties": {"t": {"hour": -1}}}, {"properties": {"\0": {"hour": 1}}},
     {"properties": {str(n): {} for n in range(1001)}}],
)  # fmt: skip
def test_nonsense_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        clean_rollups(value)
