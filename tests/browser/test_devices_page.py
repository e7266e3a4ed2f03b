"""The device list and connecting a device, with real messages and a real browser."""

import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.flows.platform import Account, Platform

Start = Callable[..., Visit]
MODEL: dict[str, Any] = {"properties": [{"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "precision": 1}]}


@pytest.fixture
def pair(platform: Platform) -> tuple[Account, Account]:
    """Two devices of one product, whose keys sort in this order."""
    product = platform.product(thing_model=MODEL)
    return platform.device(product), platform.device(product)


def test_cells_are_live_and_rows_keep_their_place(visit: Start, platform: Platform, pair: tuple[Account, Account]) -> None:
    first, second = sorted(pair)
    page = visit().open("/devices/?sort=-seen&q=flow-")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    order = page.locator("tr[data-device]").evaluate_all("rows => rows.map(row => row.dataset.device)")
    page.evaluate("window.notReloaded = true")
    with platform.connect(second) as connection:
        connection.say("telemetry", {"temperature": -13.08})
        row = page.locator(f'tr[data-device="{second.key}"]')
        expect(row.locator("[data-value]")).to_have_text("−13.1 °C")
        expect(row.locator(".status")).to_have_attribute("data-state", "online")

    assert page.locator("tr[data-device]").evaluate_all("rows => rows.map(row => row.dataset.device)") == order
    assert page.evaluate("window.notReloaded")
    assert first.key in order


def test_searching_narrows_without_a_reload_and_is_in_the_address(visit: Start, pair: tuple[Account, Account]) -> None:
    window = visit()
    page = window.open("/devices/")
    page.evaluate("window.notReloaded = true")
    page.keyboard.press("/")
    page.keyboard.type(pair[0].key)

    expect(page.locator("tr[data-device]")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"\?q={pair[0].key}$"))
    expect(page.locator("[data-page-search]")).to_be_focused()
    assert page.evaluate("window.notReloaded")
    page.reload()
    expect(page.locator("tr[data-device]")).to_have_count(1)
    assert window.problems == []


def test_many_are_changed_at_once_by_keyboard_and_mouse(visit: Start, platform: Platform, pair: tuple[Account, Account]) -> None:
    page = visit().open("/devices/?q=flow-")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    page.keyboard.press("x")
    expect(page.locator("[data-selection]")).to_be_hidden()
    for account in pair:
        page.locator(f'tr[data-device="{account.key}"] input[type=checkbox]').check()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.get_by_role("button", name="Disable").click()

    expect(page.locator(".toast")).to_contain_text("2 devices changed")
    for account in pair:
        expect(page.locator(f'tr[data-device="{account.key}"] .status')).to_have_attribute("data-state", "disabled")
        assert platform.get(f"devices/{account.key}/")["enabled"] is False


def test_the_first_message_of_a_new_device_is_seen_on_the_open_page(visit: Start, platform: Platform) -> None:
    product = platform.product(thing_model=MODEL)
    window = visit()
    page = window.open("/devices/-/new/")
    page.locator("label.choice", has_text=product).click()
    page.get_by_label("Name", exact=True).fill(f"Büro {uuid4().hex[:6]}")
    expect(page.locator("#first-key")).to_have_value(re.compile("^buro-[0-9a-f]{6}$"))
    page.get_by_role("button", name="Create the device").click()
    waiting = page.locator("[data-wait-for]")
    expect(waiting).to_contain_text("Waiting for the first message")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")

    program = page.locator("#snippet-mosquitto_pub, pre[id^=snippet-]").first.inner_text()
    assert "mosquitto_pub" in program
    for _ in range(20):  # a new account works within two seconds
        done = subprocess.run(shlex.split(program.replace("\\\n", " ")), capture_output=True, timeout=15, check=False)
        if done.returncode == 0:
            break
        page.wait_for_timeout(250)
    expect(waiting).to_contain_text("The first message has arrived")
    expect(waiting).to_contain_text("temperature")
    assert window.problems == []


def test_ctrl_k_finds_a_device_and_opens_it(visit: Start, pair: tuple[Account, Account]) -> None:
    page = visit().open("/")
    page.keyboard.press("Control+k")
    page.keyboard.type(pair[1].key)
    expect(page.locator("#search-results [role=option]").first).to_contain_text(pair[1].key)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/devices/{pair[1].key}/$"))


def test_shortcuts_go_places_unless_they_are_switched_off(visit: Start) -> None:
    page = visit().open("/account/")
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/products/$"))
    page.goto(page.url.replace("/products/", "/account/"))
    page.get_by_label("Single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_timeout(300)

    expect(page).to_have_url(re.compile("/account/$"))
    page.get_by_label("Single-key shortcuts").check()
    page.get_by_role("button", name="Save").click()
