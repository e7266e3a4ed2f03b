"""Streams: what a batch stored reaches the forwarders that listen, a row each, and costs nothing where none does."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices import provisioning
from devices.messages import AttributeReport, EventReport, Presence, Report
from devices.models import Device
from iotpanel.tenants.models import Tenant
from rules import routes, sinks
from rules.models import OutboxItem
from tests.make import make_device, make_group, make_product
from tests.rules.fakes import make_forwarder

AT = 1_767_225_600_000_000


@pytest.fixture(autouse=True)
def fresh() -> None:
    routes.forget()


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(
        tenant, key="room-1", labels={"floor": "2"}, groups=[make_group(tenant, key="room", parent=make_group(tenant, key="house"))]
    )


def report(device: Device, number: int = 0) -> Report:
    return Report(device.pk, AT + number, {"t": number}, AT)


def promised() -> list[dict[str, Any]]:
    return [item.payload for item in OutboxItem.objects.all()]


def test_a_batch_is_one_row_per_forwarder(tenant: Tenant, device: Device) -> None:
    make_forwarder(tenant)
    make_forwarder(tenant)
    sinks.uplink([report(device, number) for number in range(3)])
    assert promised() == [{"stream": "readings", "entries": [["room-1", AT + number, {"t": number}] for number in range(3)]}] * 2
    assert {item.messages for item in OutboxItem.objects.all()} == {3}


def test_a_huge_batch_is_several_rows(tenant: Tenant, device: Device) -> None:
    make_forwarder(tenant)
    sinks.uplink([report(device, number) for number in range(1_200)])
    assert [len(payload["entries"]) for payload in promised()] == [500, 500, 200]


def test_nothing_is_done_where_nobody_listens(tenant: Tenant, device: Device) -> None:
    make_forwarder(tenant, stream="")
    make_forwarder(tenant, enabled=False)
    sinks.uplink([report(device)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        sinks.uplink([report(device)])
    assert len(queries) == 0
    assert promised() == []


def test_a_known_batch_costs_one_statement(tenant: Tenant, device: Device) -> None:
    make_forwarder(tenant)
    sinks.uplink([report(device)])
    with CaptureQueriesContext(connection) as queries:
        sinks.uplink([report(device, 1)])
    assert len(queries) == 1


def test_each_stream_brings_its_own(tenant: Tenant, device: Device) -> None:
    for stream in ("events", "presence", "alarms"):
        make_forwarder(tenant, stream=stream)
    sinks.uplink([report(device), AttributeReport(device.pk, AT, {"a": 1}, AT), EventReport(device.pk, AT, "door", {"open": True}, AT)])
    sinks.changed([Presence(device.pk, True, AT, "uplink"), object()])
    sinks.alarms([SimpleNamespace(device_id=device.pk)], at=AT, change="raised", show=lambda alarm: {"id": 5})
    assert promised() == [
        {"stream": "events", "entries": [["room-1", AT, "door", {"open": True}]]},
        {"stream": "presence", "entries": [["room-1", AT, True, "uplink"]]},
        {"stream": "alarms", "entries": [["room-1", AT, {"id": 5, "change": "raised"}]]},
    ]


@pytest.mark.parametrize(
    ("scope", "takes"),
    [
        ({}, True),
        ({"group": "room"}, True),
        ({"group": "house"}, True),
        ({"group": "garden"}, False),
        ({"labels": {"floor": "2"}}, True),
        ({"labels": {"floor": "3"}}, False),
        ({"devices": ["room-1"]}, True),
        ({"devices": ["room-2"]}, False),
        ({"product": "other"}, False),
        ({"group": "house", "labels": {"floor": "3"}}, False),
    ],
)
def test_a_scope_chooses(tenant: Tenant, device: Device, scope: dict[str, Any], takes: bool) -> None:
    make_group(tenant, key="garden")
    make_device(tenant, key="room-2", product=make_product(tenant, key="other"))
    make_forwarder(tenant, scope=scope)
    sinks.uplink([report(device)])
    assert bool(promised()) is takes


def test_another_tenants_devices_are_not_forwarded(tenant: Tenant, other_tenant: Tenant, device: Device) -> None:
    make_forwarder(other_tenant)
    sinks.uplink([report(device)])
    assert promised() == []


def test_a_device_that_moves_out_of_scope_is_forwarded_no_longer(tenant: Tenant, device: Device) -> None:
    make_forwarder(tenant, scope={"labels": {"floor": "2"}})
    sinks.uplink([report(device)])
    provisioning.update_device(device, labels={"floor": "3"})
    routes.routes().forget_devices()  # as the registry's notification does
    sinks.uplink([report(device)])
    assert len(promised()) == 1
