"""The way in, with a real browser."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import AXE
from tests.flows.platform import Platform


def test_wrong_then_right(chromium: Browser, platform: Platform) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{platform.services.url}/devices/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("User name")).to_have_value("admin")

    page.get_by_label("Password").fill(platform.services.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    context.close()


def test_language_and_theme_are_chosen_before_signing_in(chromium: Browser, platform: Platform) -> None:
    context = chromium.new_context(color_scheme="light")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(f"{platform.services.url}/accounts/login/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    page.get_by_role("button", name="主题").click()
    page.reload()

    assert page.evaluate("document.documentElement.classList.contains('dark')")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.evaluate(AXE.read_text() + "; void 0")
    assert page.evaluate("axe.run().then((result) => result.violations.map((each) => each.id))") == []
    assert said == []
    context.close()
