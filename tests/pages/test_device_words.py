"""Template words of the device page."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone, translation

from iotpanel.pages.device.words import script_words
from iotpanel.pages.templatetags import device as words

SCRIPTS = Path(settings.BASE_DIR) / "iotpanel/static/iotpanel/js"


@pytest.mark.parametrize(
    ("value", "precision", "shown"),
    [
        (-13.08, 1, "−13.1"),
        (1234.5, None, "1,234.5"),
        (2**63, None, "9,223,372,036,854,775,808"),
        (None, None, "–"),
        ([1, "a"], None, '[1,"a"]'),
    ],
)
def test_readings(value: object, precision: int | None, shown: str) -> None:
    assert words.reading(value, precision) == shown


def test_units_stand_apart_but_for_degrees() -> None:
    assert words.with_unit("5", "°C") == "5 °C"
    assert words.with_unit("5", "°") == "5°"
    assert words.with_unit("5", "") == "5"


@pytest.mark.parametrize(("period", "shown"), [(0.5, "every 0.5 s"), (60, "every 60 s"), (900, "every 15 min"), (3600, "every 1 h")])
def test_periods(period: float, shown: str) -> None:
    assert words.every(period) == shown


@pytest.mark.parametrize(("offset", "shown"), [(0.34, "+0.3 s"), (-2, "−2.0 s"), (7200, "+2 h")])
def test_offsets_have_a_sign(offset: float, shown: str) -> None:
    assert words.signed(offset) == shown


@pytest.mark.parametrize(("value", "shown"), [(1.5, "1.5"), (1790000000000.0, "1790000000000"), (1790000000000.123, "1790000000000.123")])
def test_numbers_for_scripts_are_plain(value: float, shown: str) -> None:
    with translation.override("zh-hans"):
        assert words.unlocalized(value) == shown


def test_since_words() -> None:
    assert words.since_words(timezone.now() - timedelta(minutes=47, seconds=5)) == "47 min"


def test_every_sentence_that_a_script_says_is_there() -> None:
    """A name that only the script knows would be shown as it stands."""
    said = {name for script in SCRIPTS.glob("*.js") for name in re.findall(r'\bsay\("(\w+)"', script.read_text())}
    made = {"limit_min", "limit_max", "window_start", "window_end"} | {
        f"column_{name}" for name in ("time", "value", "average", "minimum", "maximum", "readings")
    }
    assert said | made <= script_words().keys()


def test_placeholders_survive_translation() -> None:
    english = script_words()
    with translation.override("zh-hans"):
        chinese = script_words()
    for name, sentence in english.items():
        assert sorted(re.findall(r"\{\w+\}", sentence)) == sorted(re.findall(r"\{\w+\}", chinese[name])), name
