"""Without a network: the open page says so, a new one is replaced by the page that a worker kept."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.flows.platform import Platform

from .conftest import Visit

KEPT = (
    "caches.keys().then(async (names) => [names, (await (await caches.open(names[0])).keys()).map((each) => new URL(each.url).pathname)])"
)


def test_without_a_network_pages_say_so_and_come_back(visit: Callable[..., Visit], platform: Platform) -> None:
    platform.device()  # the list of devices has something to follow
    window = visit(width="phone", theme="dark", language="zh-hans")
    page = window.open("/products/")
    page.evaluate("navigator.serviceWorker.ready")
    page.evaluate("caches.open('iotpanel-older')")
    page.evaluate("navigator.serviceWorker.register('/sw.js?v=next', {scope: '/'})")  # as a page of the next version does
    page.wait_for_function("caches.keys().then((names) => names.length === 1 && names[0] !== 'iotpanel-older')")
    expect(page.locator("[data-reach]")).to_be_hidden()

    window.context.set_offline(True)
    expect(page.locator("[data-reach]")).to_have_text("连接中断，显示的内容可能已过时")
    page.goto(f"{window.url}/devices/")
    expect(page.get_by_role("heading", level=2)).to_have_text("无法连接到 iotpanel")
    expect(page.locator("[data-last]:visible")).to_contain_text("秒前")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert window.findings_in_both_widths() == []
    names, paths = page.evaluate(KEPT)
    assert len(names) == 1
    assert [path for path in paths if not path.startswith("/static/iotpanel/")] == ["/offline/"]

    window.context.set_offline(False)
    expect(page).to_have_title("设备 · iotpanel")
    live = page.locator("[data-live]")
    expect(live).to_have_attribute("data-state", "live")
    window.context.set_offline(True)
    expect(live).to_contain_text("连接中断", timeout=5_000)  # long before the silence would be noticed
