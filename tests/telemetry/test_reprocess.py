"""The raw archive, and a corrected codec over the past."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from devices import products
from devices.exceptions import Unavailable
from devices.models import Device, Product
from devices.timestamps import to_datetime
from iotpanel.statements import execute
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import archive, erasure, latest, ledger, reprocess, rollups, tasks
from telemetry.management.commands.reprocess import instant
from telemetry.models import ArchivedMessage, DeadLetterRecord, Event, ReportRow, ReprocessRun
from telemetry.uplink import pipeline
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_member, make_product
from tests.rest import Rest
from tests.telemetry.uplink.talk import now_ms, reasons, say, stored, uplink

pytestmark = pytest.mark.django_db
WRONG = "function decode(payload) return {temperature = payload:byte(1)} end"
RIGHT = "function decode(payload) return {temperature = payload:byte(1) / 10} end"
FAILS = 'function decode(payload) error("not yet") end'


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant, key="room", codec_kind="lua", codec_script=WRONG, archive_days=7)


@pytest.fixture
def device(product: Product) -> Device:
    return make_device(product=product, key="room-1")


def hour_ago() -> datetime:
    return timezone.now() - timedelta(hours=1)


def again(product: Product, **given: Any) -> tuple[int, int, int, int]:
    run = reprocess.go_on(reprocess.start(product, **{"since": hour_ago()} | given))
    assert run.state == "done"
    return run.messages, run.stored, run.unchanged, run.failed


def temperatures(device: Device) -> list[Any]:
    return [values["temperature"] for values in stored(device)]


def test_nothing_is_archived_where_nobody_asked(tenant: Tenant) -> None:
    say(make_device(tenant), "telemetry", {"temperature": 1})
    assert not ArchivedMessage.objects.exists()


def test_what_came_is_kept_as_it_came(device: Device) -> None:
    say(device, "raw/7", b"\xd7\x00\xff")
    [kept] = ArchivedMessage.objects.all()
    assert (kept.topic, bytes(kept.payload), kept.source) == (f"devices/{device.key}/up/raw/7", b"\xd7\x00\xff", "mqtt")
    assert kept.received_at == ReportRow.objects.get(device_id=device.pk).at


def test_a_corrected_codec_over_the_past_twice(device: Device, product: Product) -> None:
    for value in (200, 210, 220):
        say(device, "raw", bytes([value]))
    assert temperatures(device) == [200, 210, 220]
    products.update_product(product, codec_script=RIGHT)
    assert again(product) == (3, 3, 0, 0)
    assert temperatures(device) == [20, 21, 22]
    assert latest.read([device.pk])[device.pk]["temperature"][0] == 22
    assert again(product) == (3, 0, 3, 0), "the second time changes nothing"
    assert ReportRow.objects.count() == 3
    [counts] = ledger.by_device([device.pk], since=hour_ago(), until=timezone.now()).values()
    assert (counts.received, counts.stored, counts.duplicate) == (9, 6, 3)
    assert ArchivedMessage.objects.count() == 3, "a replay is not archived again"


def test_frames_that_failed_are_stored_and_their_letters_done(device: Device, product: Product) -> None:
    products.update_product(product, codec_script=FAILS)
    for value in (200, 210):
        say(device, "raw", bytes([value]))
    assert reasons() == ["codec_error", "codec_error"]
    products.update_product(product, codec_script=RIGHT)
    assert again(product) == (2, 2, 0, 0)
    assert not DeadLetterRecord.objects.open().exists()
    assert temperatures(device) == [20, 21]


def test_a_codec_that_is_worse_leaves_one_letter_however_often(device: Device, product: Product) -> None:
    say(device, "raw", b"\x10")
    products.update_product(product, codec_script=FAILS)
    assert again(product) == (1, 0, 0, 1)
    assert again(product) == (1, 0, 0, 1)
    assert reasons() == ["codec_error"]
    assert temperatures(device) == [16], "what is stored stays"


def test_reports_without_a_time_get_the_same_ones_again(tenant: Tenant) -> None:
    product = make_product(tenant, archive_days=1)
    device = make_device(product=product)
    at = now_ms() * 1000
    topic = f"devices/{device.key}/up/telemetry"
    earlier = [{"ts": now_ms() - number * 1000, "values": {"n": number}} for number in (3, 5)]
    messages: list[Any] = [[{"n": 1}, {"n": 2}, earlier[0]], {"n": 4}, earlier[1], {"n": 6}]
    process([uplink(topic, message, received_at=at) for message in messages])
    before = list(ReportRow.objects.order_by("at").values_list("at", "values"))
    assert again(product) == (4, 0, 6, 0)
    assert list(ReportRow.objects.order_by("at").values_list("at", "values")) == before


def test_events_attributes_and_gateways_come_again_status_and_replies_do_not(tenant: Tenant) -> None:
    gateway = make_device(product=make_product(tenant))
    product = make_product(tenant, archive_days=1)
    child = make_device(product=product, parent=gateway)
    process([uplink(f"devices/{gateway.key}/up/gateway/telemetry", {child.key: {"n": 1}, "nobody": {"n": 1}})])
    process([uplink(f"devices/{gateway.key}/up/gateway/status", {child.key: "online"})])
    say(child, "events/opened", {"params": {"by": "me"}})
    say(child, "attributes", {"firmware": "1.2"})
    say(child, "status", b"online")
    kept = ArchivedMessage.objects.filter(device_id=child.pk).order_by("received_at")
    assert [orjson.loads(bytes(row.payload)) for row in kept] == [{child.key: {"n": 1}}, {"params": {"by": "me"}}, {"firmware": "1.2"}]
    assert again(product) == (3, 0, 3, 0)
    assert Event.objects.count() == 1


def test_only_what_was_asked_for(device: Device, product: Product) -> None:
    other = make_device(product=product)
    say(device, "raw", b"\x64")
    say(other, "raw", b"\x64")
    products.update_product(product, codec_script=RIGHT)
    assert again(product, device=other)[0] == 1
    assert (temperatures(device), temperatures(other)) == ([100], [10])
    assert again(product, since=timezone.now() - timedelta(seconds=3600), until=timezone.now() - timedelta(seconds=1800))[0] == 0


def test_a_run_goes_on_where_it_stopped(device: Device, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in range(1, 6):
        say(device, "raw", bytes([value]))
    products.update_product(product, codec_script=RIGHT)
    monkeypatch.setattr(reprocess, "AT_ONCE", 2)
    run = reprocess.start(product, since=hour_ago())
    reprocess.go_on(run, seconds=0)
    assert (run.messages, run.state) == (2, "running")
    commit = pipeline.commit
    monkeypatch.setattr("telemetry.reprocess.commit", _down)
    with pytest.raises(Unavailable):
        reprocess.go_on(run)
    monkeypatch.setattr("telemetry.reprocess.commit", commit)
    tasks.reprocess_archived()
    run.refresh_from_db()
    assert (run.messages, run.stored, run.state) == (5, 5, "done")


def _down(*_: Any) -> Any:
    raise Unavailable("the sandbox is down")


def test_one_message_that_nobody_foresaw_costs_itself_only(device: Device, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (1, 2, 3):
        say(device, "raw", bytes([value]))
    commit = pipeline.commit

    def fail_on_two(batch: Any, keep: Any) -> Any:
        if any(each.payload == b"\x02" for each in batch):
            raise RuntimeError("nobody foresaw this")
        return commit(batch, keep)

    monkeypatch.setattr("telemetry.reprocess.commit", fail_on_two)
    assert again(product) == (3, 0, 2, 1)


def test_a_cancelled_run_stays_where_it_is(device: Device, product: Product) -> None:
    say(device, "raw", b"\x01")
    run = reprocess.start(product, since=hour_ago())
    reprocess.cancel(run)
    assert reprocess.go_on(run).state == "cancelled"
    assert run.messages == 0


def test_rollups_follow(device: Device, product: Product) -> None:
    at = now_ms() * 1000 - 3 * 3_600_000_000
    process([uplink(f"devices/{device.key}/up/raw", b"\xc8", received_at=at)])
    rollups.run()
    products.update_product(product, codec_script=RIGHT)
    again(product, since=to_datetime(at) - timedelta(seconds=1))
    rollups.run()
    rows = execute("SELECT high FROM telemetry_rollup_minute WHERE device_id = %s", [device.pk])
    assert rows == [(20.0,)]


def test_the_archive_ends_with_its_days_with_the_switch_and_with_the_device(device: Device, product: Product) -> None:
    say(device, "raw", b"\x01")
    [kept] = ArchivedMessage.objects.all()
    ArchivedMessage.objects.create(
        device_id=device.pk, received_at=kept.received_at - timedelta(days=8), topic="t", source="mqtt", payload=b"old"
    )
    archive.drop()
    assert [bytes(row.payload) for row in ArchivedMessage.objects.all()] == [b"\x01"]
    products.update_product(product, archive_days=None)
    archive.drop()
    assert not ArchivedMessage.objects.exists()
    assert "telemetry_archive" in erasure.TABLES


def test_two_processes_that_give_one_instant_lose_nothing(device: Device) -> None:
    message = archive.Received(device.pk, now_ms() * 1000, "topic\x00", "mqtt", b"\x00\xff")
    archive.write([message])
    archive.write([message, message._replace(received_at=message.received_at + 5)])
    assert ArchivedMessage.objects.count() == 3


@pytest.mark.parametrize(("given", "field"), [({"since": datetime(2999, 1, 1, tzinfo=UTC)}, "since"), ({"device": True}, "device")])
def test_runs_that_make_no_sense_are_refused(product: Product, given: dict[str, Any], field: str) -> None:
    if given.get("device"):
        given = {"device": make_device(product.tenant)}
    with pytest.raises(ValidationError) as refused:
        reprocess.start(product, **{"since": hour_ago()} | given)
    assert list(refused.value.message_dict) == [field]


def test_the_command_says_what_came_of_it(device: Device, product: Product) -> None:
    say(device, "raw", b"\x64")
    products.update_product(product, codec_script=RIGHT)
    out = io.StringIO()
    call_command("reprocess", product=product.key, since="1h", stdout=out)
    assert "1 messages: 1 stored, 0 unchanged, 0 failed; done" in out.getvalue()
    for bad in ({"product": "nobody"}, {"product": product.key, "device": "nobody"}, {"product": product.key, "since": "yesterday"}):
        with pytest.raises(CommandError):
            call_command("reprocess", **{"since": "1h"} | bad, stdout=out)
    with pytest.raises(CommandError):
        call_command("reprocess", resume=999_999, stdout=out)


def test_times_on_the_command_line() -> None:
    assert instant("2026-11-26T08:00:00+01:00") == datetime(2026, 11, 26, 7, tzinfo=UTC)
    assert instant("2026-11-26") == datetime(2026, 11, 26, tzinfo=UTC)
    for bad in ("", "x", "2026-13-01", "5y", "99999999999d"):
        with pytest.raises(CommandError):
            instant(bad)


def test_rest_starts_a_run_for_operators_alone(
    device: Device, product: Product, tenant: Tenant, viewer: User, stranger: User, django_capture_on_commit_callbacks: Any
) -> None:
    path = f"products/{product.key}/reprocess/"
    say(device, "raw", b"\x64")
    wanted = {"since": hour_ago().isoformat(), "device": device.key}
    assert Rest(viewer).post(path, wanted).status_code == 403
    assert Rest(stranger).post(path, wanted).status_code == 404
    operator = Rest(make_member(tenant, Role.OPERATOR))
    assert operator.post(path, {"since": "soon"}).status_code == 400
    assert operator.post(path, wanted | {"device": make_device().key}).status_code == 400, "another tenant's device is none"
    assert operator.post(path, wanted).status_code == 202
    tasks.reprocess_archived()
    [run] = Rest(viewer).get(path).json()["results"]
    assert (run["state"], run["messages"], run["unchanged"], run["device"]) == ("done", 1, 1, device.key)
    assert ReprocessRun.objects.count() == 1
