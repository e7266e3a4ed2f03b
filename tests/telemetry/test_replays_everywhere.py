"""Whoever asks for many dead letters, and wherever: the answer comes at once, the rest is done in the background and can be watched."""

from typing import Any

import orjson
import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import tasks
from telemetry.models import DeadLetterRecord, ReplayRun
from telemetry.uplink import replay_runs
from tests.admin_client import Admin
from tests.make import make_device, make_member, make_product
from tests.pages.people import browser, words
from tests.rest import Rest, refused, results

WIDE = {"properties": [{"key": "temperature", "type": "number"}]}
SCRIPT = "function decode(p) return {temperature = string.byte(p)} end"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_runs, "AT_ONCE", 2)
    monkeypatch.setattr(replay_runs, "IN_REQUEST", 0)


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(tenant, key="room-1", product=make_product(tenant, key="climate", thing_model=WIDE))


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return make_member(tenant, Role.OPERATOR)


def letters(device: Device, *payloads: bytes, **overrides: Any) -> None:
    """One each, a moment apart."""
    values: dict[str, Any] = {"tenant": device.tenant, "device": device, "product": device.product, "key": device.key}
    values |= {"topic": f"devices/{device.key}/up/telemetry", "reason": "out_of_range"} | overrides
    for payload in payloads:
        DeadLetterRecord.objects.create(payload=payload, received_at=timezone.now(), **values)


def five(device: Device) -> None:
    letters(device, b"{", b"{", b"{", b'{"temperature": 70}', b'{"temperature": 71}')


def opened() -> int:
    return DeadLetterRecord.objects.open().count()


def test_rest_answers_at_once_and_says_how_far_it_is(operator: User, viewer: User, stranger: User, device: Device) -> None:
    five(device)
    api = Rest(operator)
    answer = api.post("dead-letters/replay/", {"reason": "out_of_range"}).json()
    run = ReplayRun.objects.get()
    assert answer == {"replayed": 0, "failed": 2, "waiting": 3, "run": run.pk}
    assert (run.tenant, run.started_by) == (device.tenant, operator)

    tasks.replay_letters()
    shown = Rest(viewer).get(f"dead-letters/replays/{run.pk}/").json()
    assert {name: shown[name] for name in ("state", "total", "waiting", "replayed", "failed")} == {
        "state": "done",
        "total": 5,
        "waiting": 0,
        "replayed": 2,
        "failed": 3,
    }
    assert results(Rest(viewer).get("dead-letters/replays/")) == [shown]
    assert results(Rest(stranger).get("dead-letters/replays/")) == []
    assert api.post("dead-letters/replay/", {"reason": "out_of_range"}).json() == {"replayed": 0, "failed": 0}  # not_json by now


def test_rest_cancels_a_run_for_who_may_replay(operator: User, viewer: User, stranger: User, device: Device) -> None:
    five(device)
    path = f"dead-letters/replays/{Rest(operator).post('dead-letters/replay/').json()['run']}/"
    refused(Rest(viewer).delete(path), 403, "permission_denied")
    refused(Rest(stranger).delete(path), 404, "not_found")
    assert Rest(operator).delete(path).status_code == 204

    tasks.replay_letters()
    assert Rest(operator).get(path).json()["state"] == "cancelled"
    assert opened() == 5


def test_the_page_shows_how_far_it_is_and_stops_it(operator: User, viewer: User, stranger: User, device: Device) -> None:
    five(device)
    client = browser(operator)
    client.post("/dead-letters/replay/", {})
    shown = client.get("/dead-letters/").content
    assert "3 more are being replayed in the background" in words(shown)
    assert "Replaying: 2 of 5" in words(shown)
    path = f"/dead-letters/replays/{ReplayRun.objects.get().pk}/cancel/"
    assert "Stop" not in words(browser(viewer).get("/dead-letters/replays/").content)
    assert "Replaying" not in words(browser(stranger).get("/dead-letters/replays/").content)
    assert (browser(viewer).post(path).status_code, browser(stranger).post(path).status_code) == (403, 404)

    client.post(path)
    assert "Replay stopped: 2 of 5" in words(client.get("/dead-letters/replays/").content)
    client.post("/dead-letters/replay/", {})
    tasks.replay_letters()
    part = client.get("/dead-letters/replays/").content
    assert "Replayed: all 5 2 accepted, 3 refused again" in words(part)
    assert b"every 2s" not in part


def test_the_device_page_replays_all_of_its_own(operator: User, device: Device) -> None:
    five(device)
    letters(make_device(device.tenant, key="other", product=device.product), b'{"temperature": 72}')
    answer = browser(operator).post("/devices/room-1/parts/replay/", {"all": "1"})
    assert "3 more are being replayed in the background" in words(answer.content)
    tasks.replay_letters()
    assert opened() == 4


def test_the_workbench_replays_all_after_publishing(owner: User, device: Device) -> None:
    letters(device, b"\x01", b"\x02", b"\x03", topic="devices/room-1/up/raw", reason="codec_error")
    client = browser(owner)
    client.post("/products/climate/codec/", {"script": SCRIPT, "samples": orjson.dumps([]).decode(), "replay": "on"})
    assert "1 more are being replayed in the background" in words(client.get("/products/").content)
    tasks.replay_letters()
    assert opened() == 0


def test_an_adopted_childs_letters_come_in_pieces_too(owner: User, device: Device) -> None:
    said = [b'{"new": {"temperature": %d}}' % number for number in range(3)]
    topic = "devices/room-1/up/gateway/telemetry"
    letters(device, *said, topic=topic, reason="unknown_child", key="new")
    letter = DeadLetterRecord.objects.earliest("pk")
    answer = Rest(owner).post(f"dead-letters/{letter.pk}/adopt/", {"product": "climate"}).json()
    assert answer == {"device": "new", "replayed": 2, "failed": 0, "waiting": 1, "run": ReplayRun.objects.get().pk}
    tasks.replay_letters()
    assert opened() == 0


class TestTheAdmin:
    def replay_everything(self, person: User) -> str:
        sent = {"action": "replay_many", "select_across": "1", "confirmed": "yes"}
        sent["_selected_action"] = str(DeadLetterRecord.objects.earliest("pk").pk)
        return Admin(person).client.post(Admin.address(DeadLetterRecord), sent, follow=True).content.decode()

    def test_all_of_a_persons_tenants_and_no_other(self, operator: User, device: Device) -> None:
        second, third = make_device(), make_device()
        second.tenant.memberships.create(user=operator, role=Role.OPERATOR)
        third.tenant.memberships.create(user=operator, role=Role.VIEWER)
        for each in (device, second, third):
            letters(each, b'{"temperature": 1}', b'{"temperature": 2}', b'{"temperature": 3}')

        assert "1 more are being replayed in the background" in self.replay_everything(operator)
        assert {run.tenant for run in ReplayRun.objects.all()} == {device.tenant, second.tenant}
        tasks.replay_letters()
        assert {letter.tenant for letter in DeadLetterRecord.objects.open()} == {third.tenant}
        page: Any = Admin(operator).list(ReplayRun)
        assert len(page.context["cl"].result_list) == 2

    def test_a_superusers_run_over_several_tenants_is_one(self, superuser: User, owner: User, device: Device) -> None:
        letters(device, b"{", b"{")
        letters(make_device(), b"{", b"{")
        self.replay_everything(superuser)
        run = ReplayRun.objects.get()
        assert (run.tenant, run.total) == (None, 4)
        page: Any = Admin(owner).list(ReplayRun)
        assert list(page.context["cl"].result_list) == []
        assert results(Rest(owner).get("dead-letters/replays/")) == []

    def test_a_run_is_cancelled_by_who_may_replay(self, operator: User, viewer: User, stranger: User, device: Device) -> None:
        five(device)
        self.replay_everything(operator)
        run = ReplayRun.objects.get()
        for person, state in ((viewer, "running"), (stranger, "running"), (operator, "cancelled")):
            Admin(person).act(ReplayRun, "cancel", run)
            run.refresh_from_db()
            assert run.state == state
