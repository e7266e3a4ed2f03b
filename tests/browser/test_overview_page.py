"""The overview and the workbench on the running product."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.flows.platform import Platform
from tests.services import eventually

Start = Callable[..., Visit]
MODEL: dict[str, Any] = {"properties": [{"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "max": 60}]}
FAILS = "function decode(payload)\n  error('unknown type ' .. payload:byte(1))\nend\n"
WORKS = "function decode(payload)\n  return {temperature = payload:byte(1)}\nend\n"


def test_a_cell_of_the_fleet_changes_by_itself(visit: Start, platform: Platform) -> None:
    device = platform.device()
    with platform.connect(device, will="offline") as connection:
        connection.say("telemetry", {"n": 1})
        eventually(lambda: platform.is_online(device))
        page = visit().open("/")
        expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
        cell = page.locator(f'a[data-key="/devices/{device.key}/"]')
        expect(cell).to_have_attribute("data-state", "online")
        connection.say("status", b"offline")

        expect(cell).to_have_attribute("data-state", "offline")
        expect(cell.locator("rect")).to_have_class("cell offline")


def test_the_books_balance_over_everything_that_was_sent(visit: Start, platform: Platform) -> None:
    device = platform.device(platform.product(thing_model=MODEL))
    with platform.connect(device) as connection:
        for payload in ({"temperature": 20}, {"temperature": 99}, b"no json", {}):
            connection.say("telemetry", payload)
    eventually(lambda: len(platform.letters(device)) == 2)
    page = visit().open("/")

    expect(page.locator("#overview")).to_contain_text("balanced")
    # What needs attention is the most urgent of the whole fleet: at least one of the two reasons is among it.
    expect(page.locator("#overview")).to_contain_text(re.compile("a value out of range|the payload is not JSON"))
    assert not page.locator("#overview").get_by_text("unaccounted for", exact=True).count()


def test_a_codec_is_mended_tested_published_and_its_letters_replayed(visit: Start, platform: Platform) -> None:
    product = platform.product(thing_model=MODEL, codec={"kind": "lua", "script": FAILS})
    device = platform.device(product)
    with platform.connect(device) as connection:
        connection.say("raw/5", b"\x15")
    eventually(lambda: platform.letters(device))
    window = visit()
    page = window.open(f"/products/{product}/codec/")
    expect(page.locator("[data-frames] .frame")).to_have_count(1)
    expect(page.locator("[data-result]")).to_contain_text("unknown type 21")

    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(WORKS)
    expect(page.locator("[data-result]")).to_contain_text("21 °C")
    expect(page.locator("[data-unsaved]")).to_be_visible()
    page.get_by_role("button", name="Keep as test").click()
    expect(page.locator('[data-count="tests"]')).to_have_text("1 / 1")
    page.get_by_role("button", name="Publish").click()

    expect(page.locator(".toast").first).to_contain_text("Codec published")
    eventually(lambda: platform.latest(device) == {"temperature": 21})
    assert platform.letters(device) == []
    [sample] = platform.get(f"products/{product}/")["codec"]["samples"]
    assert sample == {"hex": "15", "port": 5, "topic": f"devices/{device.key}/up/raw/5", "expected": [{"values": {"temperature": 21}}]}
    assert window.problems == []


def test_the_workbench_names_the_line_that_does_not_compile(visit: Start, platform: Platform) -> None:
    product = platform.product(thing_model=MODEL, codec={"kind": "lua", "script": WORKS})
    page = visit().open(f"/products/{product}/codec/?hex=15&port=2")
    expect(page.locator("[data-result]")).to_contain_text("21 °C")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("function (")

    expect(page.locator("[data-verdict]")).to_contain_text("4")
    expect(page.locator(".cm-failing")).to_have_count(1)


def test_a_lost_connection_is_said_and_mended(visit: Start, platform: Platform) -> None:
    platform.device()
    page = visit().open("/devices/")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.context.set_offline(True)
    platform.services.stop("web")
    try:
        expect(page.locator("[data-live]")).to_have_text(re.compile(r"Connection lost, trying again in \d+ s"), timeout=20_000)
    finally:
        page.context.set_offline(False)
        platform.services.start("web")
    expect(page.locator("[data-live]")).to_have_text("Live", timeout=40_000)
