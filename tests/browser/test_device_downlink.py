"""Commands and the shadow in a real browser: sent by the form, seen to succeed live, clean in every look."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, TimeoutError, expect

from tests.browser.conftest import Visit
from tests.flows.obedient import Obedient
from tests.flows.platform import Account, Platform
from tests.make import WITH_COMMANDS
from tests.services import eventually

Start = Callable[..., Visit]


@pytest.fixture(scope="module")
def account(platform: Platform) -> Account:
    return platform.device(platform.product(thing_model=WITH_COMMANDS), name="Valve <b>7</b>")


def keep(page: Page, name: str) -> None:
    """A picture for people, where somebody asked for them."""
    if folder := os.environ.get("IOTPANEL_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_command_is_sent_and_seen_to_succeed(visit: Start, platform: Platform, account: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{account.key}/commands/")
    page.select_option("#command-name", "set-level")
    page.fill('[name="p.set-level.level"]', "101")
    page.click("text=Send command")
    expect(page.locator("#command-table [role=alert]")).to_contain_text("outside 0 to 100")
    page.fill('[name="p.set-level.level"]', "40")
    page.click("text=Send command")
    row = page.locator("#command-table tbody tr").first
    expect(row).to_have_attribute("data-state", "queued")
    keep(page, "commands-queued")

    with platform.connect(account) as connection:
        device = Obedient(connection)
        expect(row).to_have_attribute("data-state", "succeeded", timeout=15_000)
    assert device.commands()[0]["params"] == {"level": 40}
    expect(row.locator(".badge")).to_have_attribute("data-tone", "good")
    keep(page, "commands-succeeded")
    # The refused form was a 422 on purpose.
    assert [problem for problem in window.problems if "422" not in problem] == []


def cancelled(row: Locator) -> bool:
    """Whether it is; presses the button once more where the table came anew under the finger."""
    with suppress(TimeoutError):
        row.get_by_role("button", name="Cancel").click(timeout=500)
    return row.get_attribute("data-state") == "cancelled"


def test_one_that_waits_is_cancelled_by_its_button(visit: Start, platform: Platform, account: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{account.key}/commands/")
    page.select_option("#command-name", "reboot")
    page.click("text=Send command")
    row = page.locator("#command-table tbody tr").first
    eventually(partial(cancelled, row))
    assert window.problems == []


def test_the_shadow_follows_the_device(visit: Start, platform: Platform, account: Account) -> None:
    window = visit()
    page = window.open(f"/devices/{account.key}/shadow/")
    page.fill("#shadow-patch", '{"interval": 60}')
    page.locator("#shadow").get_by_role("button", name="Change").click()
    expect(page.locator("[aria-labelledby=shadow-delta]")).to_contain_text('"interval": 60')
    keep(page, "shadow-delta")
    with platform.connect(account) as connection:
        connection.say("shadow", {"reported": {"interval": 60}})
        expect(page.locator("[aria-labelledby=shadow-delta]")).to_contain_text("in sync", timeout=15_000)
    keep(page, "shadow-in-sync")
    page.locator(".timeline a").last.click()
    expect(page.locator(".notice")).to_contain_text("version 1")
    assert window.problems == []


def test_what_is_typed_while_the_shadow_is_fetched_stays(visit: Start, platform: Platform, account: Account) -> None:
    page = visit().open(f"/devices/{account.key}/shadow/")
    held: list[Route] = []
    page.route("**" + str(page.get_attribute("#shadow", "data-parts")), lambda route: held.append(route))
    with platform.connect(account) as connection:
        connection.say("shadow", {"reported": {"seen": 1}})
        eventually(lambda: page.evaluate("1") and held)
    page.fill("#shadow-patch", '{"interval": 30}')
    with page.expect_response("**/shadow/**"):
        held[0].continue_()
    page.wait_for_timeout(200)  # ms: the answer is there, and would have been put in by now

    expect(page.locator("#shadow-patch")).to_have_value('{"interval": 30}')


@pytest.mark.parametrize(("theme", "width", "language"), [("light", "wide", "en"), ("dark", "phone", "zh-hans")])
def test_both_tabs_are_clean(visit: Start, account: Account, theme: str, width: str, language: str) -> None:
    window = visit(width=width, theme=theme, language=language)
    for tab in ("commands", "shadow"):
        page = window.open(f"/devices/{account.key}/{tab}/")
        keep(page, f"{tab}-{width}-{theme}-{language}")
        assert window.findings() == [], tab
    assert window.problems == []
