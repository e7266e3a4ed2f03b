"""The open device page: what a device says is there without a reload."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.flows.platform import Account, Platform
from tests.services import eventually

THING_MODEL: dict[str, Any] = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "precision": 1, "period": 60},
        {"key": "door", "name": "Door", "type": "boolean"},
    ]
}
# The page says, before its scripts look, what time it was at the server half a minute ago.
BEHIND = """document.addEventListener("readystatechange", () => {
    if (document.readyState === "interactive" && window.device) window.device.dataset.now -= 30_000;
})"""
Start = Callable[..., Visit]


@pytest.fixture
def device(platform: Platform) -> Account:
    return platform.device(platform.product(thing_model=THING_MODEL))


@pytest.fixture
def silent(platform: Platform) -> Account:
    """A device that nobody has ever heard: not even its sign-in was tried."""
    key = f"silent-{uuid4().hex[:8]}"
    made = platform.post("devices/", {"key": key, "name": key, "product": platform.product(thing_model=THING_MODEL)})
    return Account(key, made["credentials"]["secret"])


def publish(platform: Platform, device: Account, values: dict[str, Any]) -> None:
    """As somebody at a shell would."""
    where = ["-h", "127.0.0.1", "-p", str(platform.services.mqtt_port), "-u", device.key, "-P", device.secret, "-q", "1"]
    subprocess.run(["mosquitto_pub", *where, "-t", device.topic("telemetry"), "-m", json.dumps(values)], check=True, timeout=15)


def late(route: Route) -> None:
    """Let a file take its time."""
    time.sleep(3)
    route.continue_()


def mark(page: Page) -> None:
    """Leave a sign that a reload would wipe away."""
    page.evaluate("window.notReloaded = true")


def unbroken(page: Page) -> bool:
    return bool(page.evaluate("window.notReloaded === true"))


def test_a_published_value_appears_without_a_reload(visit: Start, platform: Platform, device: Account) -> None:
    publish(platform, device, {"temperature": 1.0})
    window = visit()
    page = window.open(f"/devices/{device.key}/")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    mark(page)
    publish(platform, device, {"temperature": -13.08, "door": True})
    expect(page.locator('[data-property="temperature"] [data-part=value]')).to_have_text("−13.1")
    expect(page.locator('[data-property="door"] [data-part=value]')).to_have_text("on")
    assert unbroken(page)
    assert window.problems == []


def test_the_first_message_ends_the_waiting(visit: Start, platform: Platform, silent: Account) -> None:
    device, window = silent, visit()
    page = window.open(f"/devices/{device.key}/")
    expect(page.locator("[data-part=waiting]")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    mark(page)
    eventually(lambda: platform.may_sign_in(silent))
    publish(platform, device, {"temperature": 5, "surprise": "hello"})
    expect(page.locator('[data-property="temperature"] [data-part=value]')).to_have_text("5.0")
    expect(page.locator('[data-property="surprise"] [data-part=value]')).to_have_text("hello")
    expect(page.locator("[data-part=waiting]")).to_have_count(0)
    expect(page.locator("[data-part=status]")).to_have_attribute("data-state", "online")
    expect(page.locator("[data-part=chart]")).to_be_visible()
    assert unbroken(page)
    assert window.problems == []


def test_the_first_value_of_a_declared_property_opens_the_chart(visit: Start, platform: Platform, silent: Account) -> None:
    """Its tile is on the page from the beginning, so nothing but the value says that there is something to draw."""
    window = visit()
    page = window.open(f"/devices/{silent.key}/?range=1h")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    expect(page.locator("[data-part=chart]")).to_be_hidden()
    eventually(lambda: platform.may_sign_in(silent))
    publish(platform, silent, {"door": True, "temperature": 1.0})  # a number is drawn, whichever comes first
    expect(page.locator("[data-part=legend]")).to_contain_text("max 1.0")
    assert window.problems == []


def test_a_value_ahead_of_the_page_s_clock_is_drawn(visit: Start, platform: Platform, silent: Account) -> None:
    """The answer that the chart begins with ends before it: where that clock is behind, or the page took long to come."""
    window = visit()
    window.page.add_init_script(BEHIND)
    page = window.open(f"/devices/{silent.key}/?range=1h")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    eventually(lambda: platform.may_sign_in(silent))
    publish(platform, silent, {"temperature": 1.0})
    expect(page.locator("[data-part=legend]")).to_contain_text("max 1.0")
    assert window.problems == []


def test_the_page_s_clock_counts_from_its_first_byte(visit: Start, device: Account) -> None:
    window = visit()
    window.page.route("**/js/device.*js", late)
    page = window.open(f"/devices/{device.key}/")
    own = "performance.getEntriesByType('resource').find((one) => one.name.includes('/js/freshness.')).name"
    behind = page.evaluate(f"import({own}).then((module) => Date.now() - module.now())")
    assert 0 < behind < 2_000  # what it took the server to write the page, and not what its script took to come


def test_the_chart_takes_live_values(visit: Start, platform: Platform, device: Account) -> None:
    publish(platform, device, {"temperature": 1.0})
    page = visit().open(f"/devices/{device.key}/?range=1h")
    legend = page.locator("[data-part=legend]")
    expect(legend).to_contain_text("max 1.0")
    publish(platform, device, {"temperature": 7.5})
    expect(legend).to_contain_text("max 7.5")


def test_a_lost_connection_says_so_and_comes_back(visit: Start, platform: Platform, device: Account) -> None:
    publish(platform, device, {"temperature": 1.0})
    window = visit()
    page = window.open(f"/devices/{device.key}/")
    live = page.locator("[data-live]")
    expect(live).to_have_attribute("data-state", "live")
    mark(page)
    platform.services.stop("web")
    try:
        expect(live).to_have_attribute("data-state", "lost")
        expect(live).to_contain_text("Connection lost, trying again in")
        publish(platform, device, {"temperature": 2.0})
    finally:
        platform.services.start("web")
    expect(live).to_have_attribute("data-state", "live", timeout=45_000)
    expect(page.locator('[data-property="temperature"] [data-part=value]')).to_have_text("2.0")
    assert unbroken(page)


def test_frames_follow_as_they_pass(visit: Start, platform: Platform, device: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{device.key}/frames/")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    rows = page.locator("[data-part=rows] tr").filter(has_text="up/telemetry")  # connecting and leaving are frames too

    def first_shows(words: str) -> None:
        expect(rows.first).to_contain_text(words)

    publish(platform, device, {"temperature": 3})
    first_shows('{"temperature": 3}')
    expect(rows.first.locator("[data-cell=verdict]")).to_have_text("stored")
    rows.first.locator("[data-cell=payload]").click()
    expect(rows.first.locator("[data-cell=detail] b")).to_have_text("3")
    publish(platform, device, {"temperature": "<b>warm</b>"})
    first_shows("<b>warm</b>")
    expect(rows.first.locator("[data-cell=verdict]")).to_have_text("bad_value")
    rows.first.locator("[data-cell=payload]").click()
    expect(rows.first.locator(".hexdump")).to_contain_text("7b 22 74 65")
    page.locator("[data-part=filter]").fill("bad_value")
    expect(rows.nth(1)).to_be_hidden()
    expect(rows.first).to_be_visible()
    page.locator("[data-part=filter]").fill("")
    page.locator("[data-part=pause]").click()
    publish(platform, device, {"temperature": 4})
    expect(page.locator("[data-part=count]")).to_contain_text("more while paused")
    expect(rows).to_have_count(2)
    page.locator("[data-part=pause]").click()
    first_shows('{"temperature": 4}')
    assert window.problems == []
