"""Dead letters by REST: who sees which, filters, replay."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices import products
from devices.messages import Uplink
from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.models import DeadLetterRecord, ReportRow
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_member, make_product
from tests.rest import Rest, refused, results

MODEL = {"properties": [{"key": "temperature", "type": "number", "max": 85}]}
THEN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def send(key: str, body: bytes, minutes: int = 0) -> None:
    """A message that came so many minutes after THEN."""
    at = int((THEN + timedelta(minutes=minutes)).timestamp() * 1_000_000)
    process([Uplink(f"devices/{key}/up/telemetry", body, at)])


@pytest.fixture
def device(tenant: Tenant) -> Device:
    memory().forget()
    return make_device(tenant, key="room-1", product=make_product(tenant, key="climate", thing_model=MODEL))


def mend(device: Device) -> None:
    products.update_product(device.product, thing_model={"properties": [{"key": "temperature", "type": "number"}]})
    memory().forget()


def test_a_letter_shows_its_bytes_and_reason(owner: User, device: Device) -> None:
    send("room-1", b'{"temperature": 900}')
    (shown,) = results(Rest(owner).get("dead-letters/"))
    assert shown | {"id": 0, "detail": ""} == {
        "id": 0,
        "device": "room-1",
        "product": "climate",
        "topic": "devices/room-1/up/telemetry",
        "source": "mqtt",
        "reason": "out_of_range",
        "detail": "",
        "payload_base64": base64.b64encode(b'{"temperature": 900}').decode(),
        "index": shown["index"],
        "received_at": "2026-01-01T12:00:00Z",
        "replayed_at": None,
    }
    assert Rest(owner).get(f"dead-letters/{shown['id']}/").json() == shown


def test_filters_and_pages(owner: User, tenant: Tenant, device: Device) -> None:
    make_device(tenant, key="room-2")
    send("room-1", b'{"temperature": 900}')
    send("room-1", b"not json", minutes=1)
    send("room-2", b"not json", minutes=2)
    api = Rest(owner)

    def reasons(**query: Any) -> list[str]:
        return [row["reason"] for row in results(api.get("dead-letters/", **query))]

    assert reasons() == ["not_json", "not_json", "out_of_range"]
    assert reasons(device="room-1") == ["not_json", "out_of_range"]
    assert reasons(product="climate", reason="not_json") == ["not_json"]
    assert reasons(since="2026-01-01T12:02:00Z") == ["not_json"]
    assert reasons(until=int(THEN.timestamp() * 1000) + 1) == ["out_of_range"]
    assert reasons(device="nobody") == []
    assert set(refused(api.get("dead-letters/", reason="bad_mood"), 400, "invalid")) == {"reason"}
    first = api.get("dead-letters/", limit=2).json()
    second = api.get("dead-letters/", limit=2, cursor=first["next"]).json()
    assert ([row["reason"] for row in second["results"]], second["next"]) == (["out_of_range"], None)
    refused(api.get("dead-letters/", cursor="WzEsMV0"), 400, "invalid")


def test_one_is_replayed_after_the_fix(owner: User, device: Device) -> None:
    send("room-1", b'{"temperature": 900}')
    letter = DeadLetterRecord.objects.get()
    api = Rest(owner)
    assert api.post(f"dead-letters/{letter.pk}/replay/").json() == {"replayed": 0, "failed": 1}
    mend(device)
    assert api.post(f"dead-letters/{letter.pk}/replay/").json() == {"replayed": 1, "failed": 0}
    assert ReportRow.objects.get(device_id=device.pk).at == THEN
    assert results(api.get("dead-letters/")) == []
    assert [row["id"] for row in results(api.get("dead-letters/", replayed="true"))] == [letter.pk]
    refused(api.post(f"dead-letters/{letter.pk}/replay/"), 409, "already_replayed")


def test_many_are_replayed_by_filter(owner: User, device: Device) -> None:
    send("room-1", b'{"temperature": 900}')
    send("room-1", b'{"temperature": 901}', minutes=1)
    send("room-1", b"not json", minutes=2)
    mend(device)
    api = Rest(owner)
    assert api.post("dead-letters/replay/", {"reason": "out_of_range"}).json() == {"replayed": 2, "failed": 0}
    assert api.post("dead-letters/replay/").json() == {"replayed": 0, "failed": 1}
    assert set(refused(api.post("dead-letters/replay/", {"reason": "?"}), 400, "invalid")) == {"reason"}


def test_a_replay_takes_only_ones_own(stranger: User, owner: User, device: Device) -> None:
    send("room-1", b'{"temperature": 900}')
    letter = DeadLetterRecord.objects.get()
    mend(device)
    assert Rest(stranger).post("dead-letters/replay/", {}).json() == {"replayed": 0, "failed": 0}
    refused(Rest(stranger).post(f"dead-letters/{letter.pk}/replay/"), 404, "not_found")
    refused(Rest(stranger).get(f"dead-letters/{letter.pk}/"), 404, "not_found")
    assert results(Rest(stranger).get("dead-letters/")) == []
    assert not ReportRow.objects.exists()


def test_letters_of_nobody_are_for_superusers(owner: User, superuser: User, device: Device) -> None:
    send("who", b"{}")
    assert results(Rest(owner).get("dead-letters/")) == []
    assert [row["device"] for row in results(Rest(superuser).get("dead-letters/"))] == ["who"]


def test_operators_replay_and_viewers_read(viewer: User, tenant: Tenant, device: Device) -> None:
    send("room-1", b"not json")
    letter = DeadLetterRecord.objects.get()
    operator = make_member(tenant, Role.OPERATOR)
    assert len(results(Rest(viewer).get("dead-letters/"))) == 1
    for path in ("dead-letters/replay/", f"dead-letters/{letter.pk}/replay/"):
        refused(Rest(viewer).post(path), 403, "permission_denied")
        assert Rest(operator).post(path).json() == {"replayed": 0, "failed": 1}


@pytest.mark.parametrize("path", ["dead-letters/0/", "dead-letters/999999999999999999/", "dead-letters/x/"])
def test_what_is_not_there_is_404(owner: User, path: str) -> None:
    refused(Rest(owner).get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_letters_are_not_written_by_hand(owner: User, method: str) -> None:
    refused(Rest(owner).send(method, "dead-letters/", {}), 405, "method_not_allowed")


def test_a_page_of_large_letters_ends_early(owner: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.api.budget.PAGE_BYTES", 2_500)
    for minutes in range(4):
        send("room-1", b"x" * 1_000, minutes)
    send("room-1", b"x" * 5_000, minutes=4)
    api, sizes, cursor = Rest(owner), [], ""
    while True:
        page = api.get("dead-letters/", limit=4, cursor=cursor).json()
        sizes.append([len(base64.b64decode(row["payload_base64"])) for row in page["results"]])
        if not (cursor := page["next"]):
            break
    assert sizes == [[5_000], [1_000, 1_000], [1_000, 1_000]]
