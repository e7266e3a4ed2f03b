"""Every page, in both themes and widths: no axe finding, no word on the console, nothing that scrolls sideways."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.flows.platform import Account, Platform
from tests.services import eventually

Start = Callable[..., Visit]
MODEL = {"properties": [{"key": "n", "name": "A rather long name of a property", "type": "number", "unit": "kWh/m²", "max": 10}]}
LOOKS = [("wide", "light", "en"), ("phone", "dark", "zh-hans")]


@pytest.fixture(scope="module")
def pages(platform: Platform) -> list[str]:
    """The addresses, of a tenant in which something happened."""
    script = "function decode(payload) return {n = payload:byte(1)} end"
    key = platform.product(thing_model=MODEL, codec={"kind": "lua", "script": script})
    device = platform.device(key)
    with platform.connect(device) as connection:
        connection.say("raw", b"\x05")
        connection.say("raw", b"\xff")
    eventually(lambda: platform.letters(device))
    letter = platform.letters(device)[0]["id"]
    plain = [
        "/",
        "/devices/",
        "/devices/?q=flow-&view=online",
        "/devices/?q=nothing-is-called-so",
        "/devices/-/new/",
        "/devices/-/bulk/",
        "/products/",
    ]
    plain += [
        f"/products/{key}/",
        f"/products/{key}/topics/",
        f"/products/{key}/codec/",
        f"/products/{key}/provisioning/",
        "/dead-letters/",
        f"/dead-letters/{letter}/",
    ]
    return [
        *plain,
        "/dead-letters/?view=replayed",
        *rules(platform, key, device),
        *outside(platform, key),
        "/ledger/",
        "/jobs/",
        "/account/",
        "/accounts/2fa/",
        "/accounts/password/change/",
        "/welcome/",
        "/accounts/logout/",
    ]


def rules(platform: Platform, product: str, device: Account) -> list[str]:
    """The addresses of a rule and of an alarm that it raised."""
    body = {"scope": {"product": product}, "when": {"property": "n", "op": ">", "value": 3}, "actions": [{"kind": "alarm"}]}
    rule = platform.post("rules/", {"name": "Accessible", "enabled": True, **body})["id"]
    with platform.connect(device) as connection:
        connection.say("raw", b"\x06")
        eventually(lambda: platform.get("alarms/", device=device.key)["results"])
    alarm = platform.get("alarms/", device=device.key)["results"][0]["id"]
    return ["/rules/", "/rules/-/new/", f"/rules/{rule}/", f"/rules/{rule}/trace/", "/alarms/", f"/alarms/{alarm}/"]


def outside(platform: Platform, product: str) -> list[str]:
    """The addresses of a forwarder, a channel that has said something, a maintenance window and a rotation."""
    to_nobody = {"name": "To nobody", "kind": "http", "settings": {"url": "https://nowhere.invalid/a/long/path"}}
    forwarder = platform.post("forwarders/", to_nobody)["id"]
    channel = platform.post("channels/", {"name": "Here", "kind": "inpage"})["id"]
    for one in (f"forwarders/{forwarder}", f"channels/{channel}"):
        platform.post(f"{one}/test/", {}, status=200)
    now = datetime.now(UTC)
    window = {"name": "Filters", "starts_at": now.isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}
    platform.post("maintenances/", {**window, "scope": {"product": product}})
    platform.post("rotations/", {"key": "night", "name": "Night", "people": ["admin"], "starts_at": "2026-01-01T08:00:00Z"})
    pages = [
        "/forwarders/",
        "/forwarders/-/new/",
        "/forwarders/-/new/?kind=http",
        f"/forwarders/{forwarder}/",
        f"/forwarders/{forwarder}/edit/",
    ]
    pages += ["/channels/", f"/channels/{channel}/", "/notices/"]
    return [*pages, "/maintenance/", "/maintenance/-/new/", "/rotations/", "/rotations/night/"]


@pytest.mark.parametrize("look", LOOKS, ids=["-".join(look) for look in LOOKS])
def test_pages_are_accessible_quiet_and_fit(look: tuple[str, str, str], visit: Start, pages: list[str]) -> None:
    """Each page is loaded in one of the looks, and changes into the other width and theme while it is open."""
    window = visit(*look)
    found: dict[str, list[str]] = {}
    for path in pages[LOOKS.index(look) :: len(LOOKS)]:
        window.problems.clear()
        window.open(path)
        if findings := window.findings_in_both_widths() + window.problems:
            found[path] = findings

    assert found == {}


def test_a_missing_page_is_accessible_too(visit: Start) -> None:
    window = visit(width="phone", theme="dark")
    window.open("/no/such/page/")

    assert window.axe() == []
    assert window.sideways() == 0


def opened(page: Page, key: str) -> bool:
    """Whether a dialog is open; presses its key where none is, since keys work once the scripts are there."""
    if page.locator("dialog[open]").count():
        return True
    page.keyboard.press(key)
    return False


def test_every_dialog_and_menu_is_accessible(visit: Start) -> None:
    window = visit()
    page = window.open("/devices/")
    for opener in ("Control+k", "?"):
        eventually(partial(opened, page, opener))
        assert window.axe() == [], opener
        page.keyboard.press("Escape")
    for button in (".nav-brand", ".nav-user", "[data-bell]"):
        page.click(button)
        assert window.axe() == [], button
        page.keyboard.press("Escape")


def test_a_phone_reaches_everything_by_its_bar(visit: Start) -> None:
    window = visit(width="phone")
    page = window.open("/")
    page.locator(".tabbar .more").click()
    page.locator("#more a", has_text="Products").click()

    assert page.locator("h1").inner_text() == "Products"
