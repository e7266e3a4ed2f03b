"""A deleted device's data go with it; each product has a view of typed columns."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models.signals import pre_migrate

from devices.messages import EventReport, Report
from devices.models import Device, Product
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant
from telemetry import attributes, erasure, events, latest, ledger, rollups, sql_views
from telemetry.models import Erasure, Event, Latest, LedgerHour, ReportRow, RollupMinute
from telemetry.models.attribute import Scope
from telemetry.stores.levels import DAY
from telemetry.stores.timescale import TimescaleStore
from tests.make import make_device, make_product

T0 = 1_767_225_600_000_000

pytestmark = pytest.mark.django_db


def write(device: Device, count: int = 3, **values: Any) -> None:
    reports = [Report(device.pk, T0 + place * DAY, values or {"t": place}, T0) for place in range(count)]
    TimescaleStore().write(reports)
    latest.merge(reports)
    events.write([EventReport(device.pk, report.at, "seen", {}, T0) for report in reports])
    ledger.append({device.pk: [count, count, 0, 0, 0, 0]})
    attributes.set_server(device, scope=Scope.SERVER, values={"a": 1})


def what_is_left() -> dict[str, set[int]]:
    return {
        model.__name__: set(model.objects.values_list("device_id", flat=True))
        for model in (ReportRow, Event, Latest, LedgerHour, RollupMinute)
    }


def test_a_deleted_devices_data_go_in_bounded_steps(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "ROWS_AT_ONCE", 2)
    gone, stays = make_device(tenant), make_device(tenant)
    for device in (gone, stays):
        write(device)
    ledger.fold()
    rollups.run(now=T0 + 5 * DAY, seconds=60)
    rollups.run(seconds=60)
    number = gone.pk
    gone.delete()
    assert Erasure.objects.get().device_id == number
    assert erasure.run() >= 3 + 3 + 1 + 1
    assert all(number not in devices and stays.pk in devices for devices in what_is_left().values())


def test_stragglers_are_erased_too(tenant: Tenant) -> None:
    device = make_device(tenant)
    number = device.pk
    device.delete()
    erasure.run()
    TimescaleStore().write([Report(number, T0, {"t": 1}, T0)])  # a batch that was under way
    assert erasure.run() > 0
    assert not ReportRow.objects.exists()
    Erasure.objects.update(requested_at=Erasure.objects.get().requested_at - timedelta(hours=1))
    erasure.run()
    assert not Erasure.objects.exists()


def test_every_way_of_deleting_leaves_word(tenant: Tenant) -> None:
    devices = [make_device(tenant) for _ in range(3)]
    numbers = {device.pk for device in devices}
    Device.objects.filter(pk=devices[0].pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_devicepresence WHERE device_id = %s", [devices[1].pk])
        cursor.execute("DELETE FROM devices_credential WHERE device_id = %s", [devices[1].pk])
        cursor.execute("DELETE FROM devices_device WHERE id = %s", [devices[1].pk])
    tenant.delete()
    assert set(Erasure.objects.values_list("device_id", flat=True)) == numbers


# --- Views ----------------------------------------------------------------------------------------------------


def select(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def prop(key: str, type: str = "number") -> dict[str, str]:
    return {"key": key, "name": key, "type": type}


def test_a_view_has_typed_columns(tenant: Tenant) -> None:
    model = {"properties": [prop("t"), prop("on", "boolean"), prop("s", "text"), prop("j", "json")]}
    product = make_product(tenant, key="climate", thing_model=model)
    device = make_device(product=product, key="dev-1")
    write(device, 1, t=21.5, on=True, s="x", j={"a": 1}, other=5)
    write(make_device(tenant), 1, t=1)
    sql_views.refresh()
    assert select("SELECT device_key, at, t, \"on\", s, j->>'a' FROM product_home_climate") == [
        ("dev-1", to_datetime(T0), 21.5, True, "x", "1")
    ]
    query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'product_home_climate'"
    types = select(f"{query} ORDER BY ordinal_position")
    assert types[2:] == [("t", "double precision"), ("on", "boolean"), ("s", "text"), ("j", "jsonb")]


def test_values_of_another_type_are_null(tenant: Tenant) -> None:
    product = make_product(tenant, key="p", thing_model={"properties": [prop("t")]})
    write(make_device(product=product), 1, t="broken")
    sql_views.refresh()
    assert select("SELECT t FROM product_home_p") == [(None,)]


def test_a_changed_model_changes_its_view_and_nothing_else(tenant: Tenant) -> None:
    product = make_product(tenant, key="p", thing_model={"properties": [prop("t")]})
    make_product(tenant, key="q")
    assert sql_views.refresh() == 2
    assert sql_views.refresh() == 0
    Product.objects.filter(pk=product.pk).update(thing_model={"properties": [prop("h")]})
    assert sql_views.refresh() == 2, "the old one goes, the new one comes"
    assert select("SELECT h FROM product_home_p") == []
    product.delete()
    sql_views.refresh()
    assert select("SELECT to_regclass('product_home_p'), to_regclass('product_home_q')")[0][0] is None


HOSTILE = ['"; DROP TABLE telemetry_report; --', "a'b", "%s", "%", "{0}", "}{", "\\", "at", "device_key", "$$", "A", "a"]
HOSTILE += ["é" * 40, "é" * 40 + "x"]


def test_hostile_names_stay_names(tenant: Tenant) -> None:
    product = make_product(tenant, key="p")
    Product.objects.filter(pk=product.pk).update(thing_model={"properties": [prop(name) for name in HOSTILE]})
    write(make_device(product=product), 1, **{name: place for place, name in enumerate(HOSTILE)})
    sql_views.refresh()
    [row] = select("SELECT * FROM product_home_p")
    assert row[2:] == tuple(range(len(HOSTILE)))


def test_products_whose_views_would_be_called_the_same(other_tenant: Tenant) -> None:
    for tenant_key, key in [("a_b", "c"), ("a", "b_c"), ("x" * 60, "y" * 60), ("x" * 60, "y" * 59 + "z")]:
        tenant = Tenant.objects.filter(key=tenant_key).first() or Tenant.objects.create(key=tenant_key, name="T")
        make_product(tenant, key=key)
    assert sql_views.refresh() == 4
    assert sql_views.refresh() == 0
    names = {name for name, _ in select(f"SELECT relname, 1 FROM pg_class WHERE obj_description(oid) LIKE '{sql_views.MARK}%'")}
    assert {"product_a_b_c", "product_a_b_c_2"} <= names and len(names) == 4


def test_somebody_elses_view_is_left_alone(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW product_home_p AS SELECT 1 AS mine")
    make_product(tenant, key="p")
    sql_views.refresh()
    assert select("SELECT mine FROM product_home_p") == [(1,)]


def test_migrations_meet_no_views(tenant: Tenant) -> None:
    make_product(tenant, key="p")
    sql_views.refresh()
    pre_migrate.send(sender=apps.get_app_config("telemetry"), app_config=apps.get_app_config("telemetry"))
    assert select("SELECT to_regclass('product_home_p')") == [(None,)]
    assert sql_views.refresh() == 1
