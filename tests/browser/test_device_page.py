"""The device page in a real browser: looks, chart, tabs, both themes, both widths, both languages."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.flows.platform import Account, Platform
from tests.services import eventually

THING_MODEL: dict[str, Any] = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "precision": 1, "period": 600, "max": 60},
        {"key": "humidity", "name": "Humidity", "type": "number", "unit": "%", "precision": 0},
        {"key": "door", "name": "Door", "type": "boolean"},
        {"key": "mode", "name": "Mode", "type": "text"},
        {"key": "<b>odd</b>", "name": '<b>Odd</b> "name"', "type": "json"},
    ],
    "events": [{"key": "opened", "name": "Door opened", "params": []}],
}
TABS = ["", "events/", "frames/", "dead-letters/", "attributes/", "connect/"]
MINUTE = 60_000
Start = Callable[..., Visit]


@pytest.fixture(scope="module")
def device(platform: Platform) -> Account:
    """A day of readings with an hour of silence, a state that changes, an event and a dead letter."""
    account = platform.device(platform.product(thing_model=THING_MODEL), name="Cold <i>room</i>")
    with platform.connect(account) as link:
        link.say("telemetry", day())
        link.say("events/opened", {"params": {"by": "<img src=x>"}})
        link.say("attributes", {"firmware": "2.3.1"})
        link.say("telemetry", b'{"temper')
    eventually(lambda: platform.letters(account))
    return account


def day() -> list[dict[str, Any]]:
    """Reports of ten minutes, from a day ago until now."""
    from_ago = [ago for ago in range(1430, -1, -10) if not 500 < ago < 570]
    now = int(time.time() * 1000)
    return [{"ts": now - ago * MINUTE, "values": values(ago)} for ago in from_ago]


def values(ago: int) -> dict[str, Any]:
    odd = {"a": [1, "<script>"]}
    return {"temperature": 20 + (ago % 60) / 10, "humidity": 40 + ago % 7, "door": ago % 200 < 30, "mode": "idle", "<b>odd</b>": odd}


def test_every_tab_is_clean(visit: Start, device: Account) -> None:
    windows = [visit("wide", "light", "en"), visit("phone", "dark", "zh-hans")]
    for number, tab in enumerate(TABS):
        window = windows[number % 2]
        page = window.open(f"/devices/{device.key}/{tab}")
        expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
        assert window.findings_in_both_widths() + window.problems == [], tab


def legend(page: Page) -> Any:
    return page.locator("[data-part=legend]")


def test_the_chart_shows_the_day_and_says_it_in_words(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    expect(page.locator("[data-part=plot]")).to_have_attribute("aria-label", re.compile("between 20.0 °C and 25.0 °C"))
    expect(page.locator("[data-part=canvas] canvas")).to_have_count(1)
    page.locator("[data-act=table]").click()
    expect(page.locator("[data-part=table] tbody tr").first).to_be_visible()
    expect(page.locator("[data-part=csv]")).to_have_attribute("href", re.compile("property=temperature"))


def test_dragging_zooms_into_finer_data_and_escape_comes_back(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/?range=7d")
    expect(legend(page)).to_contain_text("max 25.0")
    box = page.locator("[data-part=plot]").bounding_box()
    assert box
    right = box["x"] + box["width"] - 20
    page.mouse.move(right, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(right - 40, box["y"] + 120, steps=4)
    with page.expect_response(lambda answer: "/parts/chart/" in answer.url):
        page.mouse.up()
    expect(page).to_have_url(re.compile("from="))
    expect(page.locator("[data-range='7d']")).to_have_attribute("aria-pressed", "false")
    page.locator("[data-part=plot]").focus()
    page.keyboard.press("Escape")
    expect(page.locator("[data-range='7d']")).to_have_attribute("aria-pressed", "true")
    expect(page).not_to_have_url(re.compile("from="))


def test_a_view_can_be_linked(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/?property=humidity&range=1h")
    expect(page.locator("[data-part=title]")).to_have_text("Humidity")
    expect(page.locator("[data-range='1h']")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("[data-part=title]")).to_have_text("Humidity")


def test_a_window_of_ones_own(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    page.locator("[data-part=custom-summary]").click()
    start, end = page.locator("#chart-from"), page.locator("#chart-to")
    expect(end).not_to_have_value("")
    assert start.input_value() < end.input_value()
    first = start.input_value()
    start.fill(end.input_value())
    page.get_by_role("button", name="Show", exact=True).click()
    assert end.evaluate("field => field.validationMessage") == "The end is before the start."
    start.fill(first)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**from=*")
    expect(page.locator("[data-range='24h']")).to_have_attribute("aria-pressed", "false")


def test_a_tile_shows_its_chart(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/")
    page.locator('.tile[data-property="door"]').click()
    expect(page.locator("[data-part=title]")).to_have_text("Door")
    expect(page.locator("[data-part=bands] .st-run").first).to_be_visible()
    expect(legend(page)).to_contain_text("off")
    expect(page).to_have_url(re.compile("property=door"))


def test_the_cursor_says_no_data_inside_a_gap(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    plot = page.locator("[data-part=plot]")
    box = plot.bounding_box()
    assert box
    inside = 38 + (box["width"] - 52) * (1440 - 535) / 1440
    plot.hover(position={"x": inside, "y": 120})
    expect(page.locator(".tip")).to_contain_text("no data")
    plot.hover(position={"x": box["width"] - 60, "y": 120})
    expect(page.locator(".tip")).to_contain_text("°C")


def test_keys_move_the_cursor_and_zoom(visit: Start, device: Account) -> None:
    page = visit().open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    page.locator("[data-part=plot]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".tip")).to_be_visible()
    page.keyboard.press("+")
    page.wait_for_url("**from=*")
    page.locator("[data-edge=start]").focus()
    before = page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => location.href !== before", arg=before)


def test_comparing_adds_a_line_with_an_axis_of_its_own(visit: Start, device: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    page.locator("details[data-part=compare] summary").click()
    page.locator(f'[data-compare="{device.key}:humidity"]').click()
    expect(legend(page).locator("[data-series]")).to_have_count(2)
    expect(page).to_have_url(re.compile("compare="))
    legend(page).locator("[data-series]").first.click()
    expect(legend(page).locator("[data-series]").first).to_have_attribute("aria-pressed", "false")
    legend(page).locator("[data-remove]").click()
    expect(legend(page).locator("[data-series]")).to_have_count(1)
    expect(legend(page).locator("[data-series]").first).to_have_attribute("aria-pressed", "true")
    assert window.problems == []


def test_the_theme_switches_without_a_reload(visit: Start, device: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{device.key}/")
    expect(legend(page)).to_contain_text("max 25.0")
    page.locator(".nav [data-theme-toggle]").click()
    expect(page.locator("html")).to_have_class("dark")
    assert window.problems == []


def test_sending_shows_what_became_of_it(visit: Start, platform: Platform) -> None:
    account = platform.device(platform.product(thing_model=THING_MODEL))
    window = visit()
    page = window.open(f"/devices/{account.key}/connect/")
    payload = page.locator("#send-payload")
    payload.fill('{"temperature": 19.5}')
    payload.press("Control+Enter")
    expect(page.locator("#sent")).to_contain_text("Stored 1 report in")
    expect(page.locator("#sent")).to_contain_text("Temperature 19.5 °C")
    payload.fill('{"temperature": 99}')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#sent")).to_contain_text("out_of_range")
    page.locator("#send-kind").select_option("event")
    expect(page.locator("#send-name")).to_be_visible()
    assert window.problems == []


def test_a_message_that_is_sent_here_is_live_there(visit: Start, platform: Platform) -> None:
    account = platform.device(platform.product(thing_model=THING_MODEL))
    first = visit()
    watching = first.open(f"/devices/{account.key}/")
    expect(watching.locator("[data-live]")).to_have_attribute("data-state", "live")
    sending = visit().open(f"/devices/{account.key}/connect/")
    sending.locator("#send-payload").fill('{"humidity": 41}')
    sending.get_by_role("button", name="Send").click()
    expect(watching.locator('[data-property="humidity"] [data-part=value]')).to_have_text("41")
    assert first.problems == []


def test_rotating_asks_first_and_shows_the_secret_once(visit: Start, platform: Platform) -> None:
    account = platform.device()
    page = visit().open(f"/devices/{account.key}/connect/")
    page.get_by_role("button", name="Rotate secret").first.click()
    expect(page.locator("#rotate")).to_be_visible()
    page.locator("#rotate").get_by_role("button", name="Rotate secret").click()
    secret = page.locator("#secret")
    expect(secret).to_be_visible()
    shown = secret.inner_text()
    expect(page.locator("#snippet-mosquitto")).to_contain_text(shown)
    page.reload()
    expect(page.locator("body")).not_to_contain_text(shown)


def test_a_viewer_sees_everything_and_can_do_nothing(visit: Start, platform: Platform, device: Account) -> None:
    name = f"viewer-{device.key}"
    platform.post("members/", {"username": name, "role": "viewer", "password": "correct horse battery"})
    window = visit(who=(name, "correct horse battery"))
    for tab in TABS:
        page = window.open(f"/devices/{device.key}/{tab}")
        for words in ("Rotate secret", "Replay", "Send", "Create a test device", "Remove"):
            expect(page.get_by_role("button", name=words)).to_have_count(0)
    assert window.problems == []
