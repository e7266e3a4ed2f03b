"""The dead letters' pages: why, which bytes, and replayed after a fix by who may."""

from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from devices.exceptions import REASONS, Unavailable
from devices.models import Device
from devices.products import update_product
from iotpanel.pages import dead_letters, reasons
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import latest
from telemetry.models import DeadLetterRecord
from telemetry.uplink import publish, refused
from telemetry.uplink.memory import memory
from tests import make
from tests.pages.people import browser, links, words


def model(top: int) -> dict[str, Any]:
    return {"properties": [{"key": "temperature", "name": "Temperature", "type": "number", "max": top}]}


def letter(device: Device, reason: str = "out_of_range", payload: bytes = b'{"temperature": 70}', **overrides: Any) -> DeadLetterRecord:
    values: dict[str, Any] = {"tenant": device.tenant, "device": device, "product": device.product, "key": device.key}
    values |= {"topic": f"devices/{device.key}/up/telemetry", "reason": reason, "payload": payload, "received_at": timezone.now()}
    return DeadLetterRecord.objects.create(**values | {"detail": "“temperature” is 70"} | overrides)


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make.make_device(tenant, key="office", name="Office", product=make.make_product(tenant, key="climate", thing_model=model(60)))


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.OPERATOR)


def test_every_reason_has_words_and_advice() -> None:
    assert set(reasons.REASONS) == set(REASONS)
    assert all(reasons.reason_words(code) and reasons.advice(code) for code in REASONS)
    assert reasons.reason_words("something_new") == "something_new"


def test_the_list_says_what_was_wrong(viewer: User, device: Device) -> None:
    letter(device)
    letter(device, "not_json", b"hello", detail="line 1")
    shown = browser(viewer).get("/dead-letters/")

    assert "a value out of range 1" in words(shown.content)
    assert "the payload is not JSON" in words(shown.content)
    assert "“temperature” is 70" in words(shown.content)
    assert "/devices/office/dead-letters/" in links(shown.content)
    assert "1–2 of 2" in words(shown.content)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?reason=not_json", 1),
        ("?product=pump", 1),
        ("?device=office", 2),
        ("?reason=nonsense", 3),
        ("?product=nowhere", 0),
        ("?view=replayed", 1),
    ],
)
def test_the_address_narrows_the_list(query: str, count: int, viewer: User, device: Device, tenant: Tenant) -> None:
    letter(device)
    letter(device, "not_json")
    letter(make.make_device(tenant, product=make.make_product(tenant, key="pump")))
    letter(device, replayed_at=timezone.now())

    assert browser(viewer).get(f"/dead-letters/{query}").content.decode().count('<a class="name"') == count


def test_one_letter_shows_its_bytes_as_text_and_hex(viewer: User, device: Device) -> None:
    record = letter(device, payload=b"<b>\xff\x00", index=2)
    shown = words(browser(viewer).get(f"/dead-letters/{record.pk}/").content)

    assert "<b>\ufffd" in shown
    assert "3c 62 3e ff 00" in shown
    assert "Report in the frame 3" in shown
    assert "Correct the thing model" in shown


def test_what_is_refused_is_one_sentence_for_device_log_and_page(viewer: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    memory().forget()
    monkeypatch.setattr(refused, "log", structlog.get_logger())
    monkeypatch.setattr(publish, "refused", refused.Refused())
    modes = {"properties": [{"key": "mode", "type": "text", "enum": ["<b>", "cool", "heat", "dry", "fan", "off", "eco"]}]}
    device, secret = make.make_device_with_secret(tenant, key="hvac", product=make.make_product(tenant, thing_model=modes))
    headers = {"Authorization": f"Bearer {device.key}:{secret}"}
    with capture_logs() as lines:
        body = {"mode": "<script>" + "x" * 200}
        answer = browser().post("/api/v1/device/telemetry", body, content_type="application/json", headers=headers)

    sentence = f"“mode” is '<script>{'x' * 92}…', which is none of '<b>', 'cool', 'heat', 'dry', 'fan' and 2 more"
    said = answer.json()
    assert (answer.status_code, said["code"], said["message"]) == (422, "out_of_range", sentence)
    assert said["details"]["problems"] == [{"index": None, "reason": "out_of_range", "detail": sentence}]
    assert [(line["reason"], line["detail"]) for line in lines if line["event"] == "dead_lettered"] == [("out_of_range", sentence)]
    page = browser(viewer).get(f"/dead-letters/{DeadLetterRecord.objects.get().pk}/").content
    assert sentence in words(page)
    assert b"<script>xxx" not in page


def test_a_huge_letter_is_cut_and_says_its_size(viewer: User, device: Device) -> None:
    record = letter(device, payload=b"x" * 1_000_000)
    shown = browser(viewer).get(f"/dead-letters/{record.pk}/")

    assert "1.0 MB" in words(shown.content)
    assert len(shown.content) < 200_000


@pytest.mark.django_db(transaction=True)  # the uplink learns of a changed product when it is committed
def test_a_replay_after_the_fix_stores_what_was_lost(operator: User, device: Device) -> None:
    connection.close()  # a LISTEN of an earlier test was rolled back with it
    record = letter(device)
    client = browser(operator)
    client.post(f"/dead-letters/{record.pk}/replay/")
    assert "refused again" in words(client.get("/dead-letters/").content)

    update_product(device.product, thing_model=model(100))
    client.post(f"/dead-letters/{record.pk}/replay/")
    record.refresh_from_db()
    assert record.replayed_at is not None
    assert latest.read([device.pk])[device.pk]["temperature"][0] == 70
    assert "1 accepted" in words(client.get("/dead-letters/").content)


def test_all_under_the_filters_are_replayed_and_no_others(operator: User, device: Device) -> None:
    update_product(device.product, thing_model=model(100))
    mine, other = letter(device), letter(device, "bad_value", b'{"temperature": 71}')
    answer = browser(operator).post("/dead-letters/replay/", {"back": "?reason=out_of_range"})

    assert answer["Location"] == "/dead-letters/?reason=out_of_range"
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.replayed_at is not None, other.replayed_at is not None) == (True, False)


def test_what_was_selected_is_replayed_alone(operator: User, device: Device) -> None:
    update_product(device.product, thing_model=model(100))
    first, second = letter(device), letter(device, payload=b'{"temperature": 71}', received_at=timezone.now() - timedelta(hours=1))
    browser(operator).post("/dead-letters/replay/", {"letter": [first.pk, "x", "9" * 30]})

    second.refresh_from_db()
    assert second.replayed_at is None


def test_a_viewer_reads_and_may_not_replay(viewer: User, device: Device) -> None:
    record = letter(device)
    client = browser(viewer)

    assert "Replay" not in words(client.get(f"/dead-letters/{record.pk}/").content).replace("Replayed", "").replace("replay.", "")
    assert client.post(f"/dead-letters/{record.pk}/replay/").status_code == 403
    assert client.post("/dead-letters/replay/", {}).status_code == 403


def test_strangers_see_and_replay_nothing(stranger: User, device: Device) -> None:
    update_product(device.product, thing_model=model(100))
    record = letter(device)
    client = browser(stranger)
    assert client.get(f"/dead-letters/{record.pk}/").status_code == 404
    assert client.post(f"/dead-letters/{record.pk}/replay/").status_code == 404
    client.post("/dead-letters/replay/", {"letter": [record.pk]})

    record.refresh_from_db()
    assert record.replayed_at is None
    assert "No dead letters" in words(client.get("/dead-letters/").content)


def test_a_database_that_is_away_is_said(operator: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(letters: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(dead_letters, "replay", away)
    client = browser(operator)
    client.post(f"/dead-letters/{letter(device).pk}/replay/")

    assert "nothing is lost" in words(client.get("/dead-letters/").content)
