"""The admin in a real browser: the thing model as rows, secrets shown once, CSV, no error in the console, readable on a phone."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.flows.platform import Platform

Start = Callable[..., Visit]


def save(page: Page) -> None:
    with page.expect_navigation():
        page.click("[name=_save]")


def choose(page: Page, field: str, text: str) -> None:
    """In a list that searches while one types."""
    page.click(f".field-{field} .select2-selection")
    page.locator(".select2-search__field").last.fill(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def test_a_product_is_made_of_rows(visit: Start, platform: Platform) -> None:
    key = f"rows-{uuid4().hex[:8]}"
    person = visit()
    page = person.open("/admin/devices/product/add/")
    page.fill("[name=key]", key)
    page.fill("[name=name]", "Rows <b>")
    table = page.locator(".field-properties")
    table.get_by_role("button", name="Add row").click()
    table.get_by_label("Key").fill("temperature")
    table.get_by_label("Name").fill("Temperature")
    table.get_by_label("Max", exact=True).fill("85.5")
    table.get_by_label("Allowed values").fill('1, 2.5, "a"')
    page.locator(".field-events").get_by_role("button", name="Add row").click()
    page.locator(".field-events").get_by_label("Key").fill("door")
    save(page)
    assert "a must be" not in page.content()
    wrong = page.locator(".field-properties .errorlist, .field-properties [class*=text-red]")
    expect(wrong.first).to_contain_text("Row 1")  # a text among the values of a number

    page.locator(".field-properties").get_by_label("Allowed values").fill("1, 2.5")
    page.locator(".field-events").get_by_role("button", name="Remove").click()
    save(page)
    model = platform.get(f"products/{key}/")["thing_model"]
    assert model["properties"] == [{"key": "temperature", "name": "Temperature", "type": "number", "max": 85.5, "enum": [1, 2.5]}]
    assert model["events"] == []
    assert person.problems == []


def test_rows_and_json_are_the_same(visit: Start, platform: Platform) -> None:
    key = platform.product()
    page = visit().open(f"/admin/devices/product/?q={key}")
    page.get_by_role("link", name=key).first.click()
    table = page.locator(".field-properties")
    table.get_by_role("button", name="As JSON").click()
    area = table.locator("textarea")
    area.fill('[{"key": "m", "name": "M", "type": "text"}]')
    table.get_by_role("button", name="As rows").click()
    expect(table.get_by_label("Key")).to_have_value("m")
    save(page)
    assert [item["key"] for item in platform.get(f"products/{key}/")["thing_model"]["properties"]] == ["m"]


def test_a_new_devices_secret_works_and_is_shown_once(visit: Start, platform: Platform) -> None:
    product, key = platform.product(), f"admin-{uuid4().hex[:8]}"
    page = visit().open("/admin/devices/device/add/")
    page.fill("[name=key]", key)
    choose(page, "product", product)
    save(page)
    user, secret = page.locator("[data-secret]").all_inner_texts()
    answer = platform.services.client().post("/api/v1/device/telemetry", json={"n": 4}, auth=(user, secret))
    assert (user, answer.status_code) == (key, 200)
    page.get_by_role("link", name="Edit the device").click()
    assert secret not in page.content()
    expect(page.locator(".panel", has_text="Latest values")).to_contain_text("4")


def test_import_shows_what_it_would_do(visit: Start, platform: Platform, tmp_path: Path) -> None:
    product, key = platform.product(), f"csv-{uuid4().hex[:8]}"
    page = visit().open("/admin/devices/device/import/")
    file = tmp_path / "devices.csv"
    file.write_text(f"key,name,product\n{key},Imported,{product}\n")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Dry run: 1 new, 0 changed")).to_be_visible()
    page.get_by_role("button", name="Confirm import").click()
    expect(page.get_by_text("1 devices made")).to_be_visible()
    assert platform.get(f"devices/{key}/")["name"] == "Imported"


@pytest.mark.parametrize(("width", "theme"), [("wide", "light"), ("phone", "dark")])
def test_pages_are_quiet_and_fit(visit: Start, platform: Platform, width: str, theme: str) -> None:
    """Each page is loaded in one of the looks, and must fit in both widths."""
    person = visit(width=width, theme=theme)
    lists: tuple[str, ...] = ("devices/device", "devices/product", "devices/group", "telemetry/deadletterrecord")
    lists += ("tenants/membership", "devices/claim", "devices/registrationpolicy", "devices/shadow", "auditlog/logentry")
    pages = ["", *(f"{name}/" for name in lists), "devices/device/add/", "devices/product/add/", "devices/device/import/"]
    for path in pages[width == "phone" :: 2]:
        person.open(f"/admin/{path}")
        assert too_wide(person) == [], path
    account = platform.device()
    if width == "phone":
        platform.services.client().post("/api/v1/device/telemetry", content=b"\xff" * 40, auth=account)
        page = person.open(f"/admin/telemetry/deadletterrecord/?q={account.key}")
        page.locator("#result_list tbody a").first.click()
        expect(page.locator(".hex")).to_contain_text("ff ff")
    else:
        page = person.open(f"/admin/devices/device/?q={account.key}")
        page.locator("#result_list a", has_text=account.key).first.click()
        expect(page.locator("[name=name]")).to_be_visible()
    person.settle()
    assert too_wide(person) == []
    assert person.problems == []


def too_wide(person: Visit) -> list[str]:
    """The widths in which the open page is wider than its window."""
    before, found = person.width, []
    for width in ("wide", "phone"):
        person.resize(width)
        found += [width] * (person.sideways() > 0)
    person.resize(before)
    return found
