"""The ledger's page: what became of every report per device, what never came, and that it is nobody else's."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices import provisioning
from devices.models import Device
from iotpanel.pages.ledger import rows as ledger_rows
from iotpanel.pages.ledger.course import bars
from iotpanel.pages.ledger.views import Asked
from iotpanel.pages.overview.window import window
from iotpanel.tenants import tenants
from iotpanel.tenants.models import Tenant, User
from telemetry import ledger
from telemetry.models import ReportRow
from tests import make
from tests.pages.people import browser, links, words
from tests.rest import Rest

pytestmark = pytest.mark.django_db
MODEL = {"properties": [{"key": "n", "type": "number", "period": 60}]}


@pytest.fixture
def quiet(tenant: Tenant) -> Device:
    """Comes every minute, but for half an hour."""
    device = make.make_device(tenant, key="quiet", name="Quiet one", product=make.make_product(tenant, thing_model=MODEL))
    now = timezone.now()
    minutes = [*range(10), *range(40, 50)]
    ReportRow.objects.bulk_create([ReportRow(device_id=device.pk, at=now - timedelta(minutes=m), values={"n": 1}) for m in minutes])
    ledger.append({device.pk: [20, 20, 0, 0, 0, 0]})
    return device


@pytest.fixture
def bad(tenant: Tenant) -> Device:
    device = make.make_device(tenant, key="bad", name="=Bad one")
    ledger.append({device.pk: [10, 3, 1, 4, 2, 5]})
    return device


def seen(user: User, address: str = "/ledger/") -> Any:
    answer = browser(user).get(address)
    assert answer.status_code == 200
    return answer


def keys(answer: Any) -> list[str]:
    return [row.device.key for row in answer.context["rows"]]


def test_the_books_of_the_tenant_and_of_each_device(viewer: User, quiet: Device, bad: Device) -> None:
    answer = seen(viewer)
    assert answer.context["whole"] == ledger.Counts(30, 23, 1, 4, 2, 5)
    assert "balanced" in words(answer.content)
    assert keys(answer) == ["bad", "quiet"], "what is dead-lettered most stands first"
    assert {"/devices/bad/dead-letters/", "/devices/quiet/"} <= links(answer.content)


def test_what_does_not_add_up_is_said(viewer: User, bad: Device) -> None:
    ledger.append({bad.pk: [7, 0, 0, 0, 0, 0]})
    assert "7 unaccounted" in words(seen(viewer).content)


@pytest.mark.parametrize("exactly", [0, 200])
def test_missing_reports_are_counted_and_sorted_by(
    viewer: User, quiet: Device, bad: Device, exactly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_rows, "EXACTLY", exactly)
    Device.objects.update(created_at=timezone.now() - timedelta(hours=2))
    answer = seen(viewer, "/ledger/?sort=-missing")
    [first, second] = answer.context["rows"]
    assert (first.device, first.missing.gaps, first.missing.missing) == (quiet, 1, 30)
    assert (second.device, second.expected) == (bad, None)
    assert keys(seen(viewer, "/ledger/?sort=missing")) == ["bad", "quiet"]


@pytest.mark.parametrize("sort", [*ledger_rows.SORTS, *(f"-{name}" for name in ledger_rows.SORTS), "nonsense", "-", "__class__"])
def test_every_order_is_a_page(viewer: User, quiet: Device, bad: Device, sort: str) -> None:
    assert sorted(keys(seen(viewer, f"/ledger/?sort={sort}&range=30d&page=999"))) == ["bad", "quiet"]


def test_a_search_and_hostile_addresses(viewer: User, quiet: Device, bad: Device) -> None:
    assert keys(seen(viewer, "/ledger/?q=QUIET")) == ["quiet"]
    answer = seen(viewer, "/ledger/?q=%00<script>alert(1)</script>&range=';drop&page=x")
    assert keys(answer) == []
    assert b"<script>alert(1)" not in answer.content


def test_an_address_says_only_what_is_unusual() -> None:
    assert Asked().address() == "?"
    assert Asked().turned("dead_lettered") == "?sort=dead_lettered"
    assert Asked(range="7d").turned("name") == "?range=7d&sort=name"


def test_a_stranger_sees_nothing_of_it(stranger: User, quiet: Device, bad: Device) -> None:
    answer = seen(stranger)
    assert keys(answer) == []
    assert answer.context["whole"] == ledger.Counts()
    assert "Quiet" not in seen(stranger, "/ledger/export/").getvalue().decode()
    assert browser().get("/ledger/").status_code == 302


def test_the_export_has_every_row_and_no_formula(viewer: User, quiet: Device, bad: Device) -> None:
    answer = seen(viewer, "/ledger/export/?sort=-missing")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [row["device"] for row in rows] == ["quiet", "bad"]
    assert rows[1]["name"] == "'=Bad one"
    assert (rows[0]["missing"], rows[0]["gaps"], rows[1]["rejected"], rows[1]["unaccounted"]) == ("30", "1", "4", "0")


def test_unknown_devices_are_told_to_superusers_alone(superuser: User, viewer: User, bad: Device) -> None:
    ledger.append({0: [9, 0, 0, 0, 9, 0]})
    assert "Of no known device" in words(seen(superuser).content)
    assert "Of no known device" not in words(seen(viewer).content)


def test_the_limit_is_shown_with_its_use(viewer: User, tenant: Tenant, bad: Device) -> None:
    tenants.update_tenant(tenant, rate_limit=50)
    assert "0 of 50 /s" in words(seen(viewer).content)
    assert "0 of 5 /s" not in words(seen(viewer, "/devices/bad/").content)
    provisioning.update_device(bad, rate_limit=5)
    assert "0 of 5 /s" in words(seen(viewer, "/devices/bad/").content)


def test_bars_cover_the_window_and_mark_what_was_refused(bad: Device) -> None:
    drawn = bars([bad.pk], window("24h"))
    assert len(drawn) == 25
    assert [(bar.height, bar.bad) for bar in drawn if bar.height] == [(48.0, 28.8)]
    assert len(bars([], window("30d"))) == 31


def test_rest_gives_the_same_books(viewer: User, stranger: User, quiet: Device, bad: Device) -> None:
    rest = Rest(viewer)
    whole = rest.get("ledger/", by="day").json()
    assert (whole["received"], whole["stored"], whole["dead_lettered"], whole["unaccounted"]) == (30, 23, 2, 0)
    assert sum(step["received"] for step in whole["results"]) == 30
    assert rest.get("devices/bad/ledger/").json()["rejected"] == 4
    missing = rest.get("devices/quiet/gaps/").json()
    assert (missing["period"], missing["learnt"], missing["gaps"], missing["missing"]) == (60, False, 1, 30)
    assert [row["missing"] for row in missing["results"]] == [30]
    assert rest.get("devices/bad/gaps/").json()["period"] is None
    assert Rest(stranger).get("ledger/").json()["received"] == 0
    for path in ("ledger", "gaps", "limits"):
        assert Rest(stranger).get(f"devices/bad/{path}/").status_code == 404


@pytest.mark.parametrize("query", [{"start": "2999-01-01T00:00:00Z"}, {"start": "1999-01-01T00:00:00Z"}, {"by": "second"}, {"end": "x"}])
def test_windows_that_make_no_sense_are_refused(viewer: User, bad: Device, query: dict[str, str]) -> None:
    assert Rest(viewer).get("ledger/", **query).status_code == 400


def test_limits_and_their_use_by_rest(viewer: User, tenant: Tenant, quiet: Device, bad: Device) -> None:
    tenants.update_tenant(tenant, rate_limit=50, rate_burst=70)
    assert Rest(viewer).get("limits/").json() == {"rate": 50.0, "burst": 70.0, "set_by": "tenant", "used": 0.0, "rejected": 4}
    answer = Rest(viewer).get("devices/quiet/limits/").json()
    assert (answer["rate"], answer["set_by"], answer["tenant"]["rate"]) == (None, None, 50.0)
    assert answer["used"] > 0
