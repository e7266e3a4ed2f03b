"""Dead letters in the admin: seen by their tenant, their bytes as text and hex, replayed one by one or many at once."""

from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.admin.bytes_view import as_text, hexdump
from telemetry.models import DeadLetterRecord, ReportRow
from tests.admin_client import Admin
from tests.make import make_device, make_member, make_product

pytestmark = pytest.mark.django_db
LIMITED = {"properties": [{"key": "temperature", "name": "Temperature", "max": 50}]}


def make_letter(device: Device | None = None, **overrides: Any) -> DeadLetterRecord:
    """A reading that was out of range when it came."""
    values: dict[str, Any] = {"topic": "devices/nobody/up/telemetry", "reason": "unknown_device", "payload": b'{"temperature": 60}'}
    if device is not None:
        values |= {"tenant": device.tenant, "device": device, "product": device.product, "key": device.key}
        values |= {"topic": f"devices/{device.key}/up/telemetry", "reason": "out_of_range"}
    return DeadLetterRecord.objects.create(**values | {"received_at": timezone.now()} | overrides)


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(tenant, product=make_product(tenant, thing_model=LIMITED))


def mend(device: Device) -> None:
    """The limit was wrong."""
    device.product.thing_model["properties"][0]["max"] = 100
    device.product.save()


class TestTheList:
    def test_shows_the_tenants_own(self, device: Device, viewer: User, other_tenant: Tenant) -> None:
        mine = make_letter(device)
        make_letter(make_device(other_tenant))
        make_letter()
        response: Any = Admin(viewer).list(DeadLetterRecord)
        assert list(response.context["cl"].result_list) == [mine]

    def test_nobodys_are_the_superusers(self, superuser: User) -> None:
        letter = make_letter()
        response: Any = Admin(superuser).list(DeadLetterRecord)
        assert list(response.context["cl"].result_list) == [letter]

    def test_filters(self, device: Device, viewer: User) -> None:
        first = make_letter(device)
        second = make_letter(device, reason="not_json", replayed_at=timezone.now())
        admin = Admin(viewer)
        for query, found in (({"reason__exact": "not_json"}, second), ({"state": "open"}, first), ({"state": "replayed"}, second)):
            response: Any = admin.list(DeadLetterRecord, **query)
            assert list(response.context["cl"].result_list) == [found]

    def test_what_a_device_says_is_text(self, device: Device, viewer: User) -> None:
        letter = make_letter(device, payload=b"<script>alert(1)</script>", detail="<script>alert(2)</script>", topic="<script>alert(3)")
        for page in (Admin(viewer).list(DeadLetterRecord), Admin(viewer).open(letter)):
            assert "<script>alert" not in page.content.decode()


class TestReplay:
    def test_one(self, device: Device, tenant: Tenant) -> None:
        letter = make_letter(device)
        mend(device)
        response = Admin(make_member(tenant, Role.OPERATOR)).press(letter, "replay")
        letter.refresh_from_db()
        assert response.status_code == 302
        assert letter.replayed_at is not None
        assert ReportRow.objects.get(device_id=device.pk).values == {"temperature": 60}

    def test_it_asks_first(self, device: Device, owner: User) -> None:
        letter = make_letter(device)
        mend(device)
        admin = Admin(owner)
        admin.client.get(admin.address(letter, "change", letter.pk).removesuffix("change/") + "replay/")
        admin.act(DeadLetterRecord, "replay_many", letter, confirmed="")
        letter.refresh_from_db()
        assert letter.replayed_at is None

    def test_all_that_a_filter_shows(self, device: Device, owner: User) -> None:
        letters = [make_letter(device, payload=b'{"temperature": %d}' % (60 + number)) for number in range(3)]
        other = make_letter(device, reason="not_json", payload=b"{")
        mend(device)
        admin = Admin(owner)
        sent = {"action": "replay_many", "select_across": "1", "_selected_action": [letters[0].pk], "confirmed": "yes"}
        admin.client.post(admin.address(DeadLetterRecord) + "?reason__exact=out_of_range", sent)
        assert DeadLetterRecord.objects.exclude(replayed_at=None).count() == 3
        other.refresh_from_db()
        assert other.replayed_at is None

    def test_what_is_refused_again_stays(self, device: Device, owner: User) -> None:
        letter = make_letter(device)
        page = Admin(owner).client.post(
            Admin.address(DeadLetterRecord), {"action": "replay_many", "_selected_action": [letter.pk], "confirmed": "yes"}, follow=True
        )
        letter.refresh_from_db()
        assert letter.replayed_at is None
        assert "0 accepted, 1 refused again" in page.content.decode()

    def test_viewers_and_strangers_do_not(self, device: Device, viewer: User, stranger: User) -> None:
        letter = make_letter(device)
        mend(device)
        assert Admin(viewer).press(letter, "replay").status_code == 403
        assert Admin(stranger).press(letter, "replay").status_code in (403, 404)
        assert Admin(stranger).open(letter).status_code == 404
        for person in (viewer, stranger):
            Admin(person).act(DeadLetterRecord, "replay_many", letter)
        letter.refresh_from_db()
        assert letter.replayed_at is None

    def test_nobody_edits_them(self, device: Device, owner: User) -> None:
        letter = make_letter(device)
        assert Admin(owner).change(letter, reason="not_json").status_code == 403


class TestBytes:
    def test_hex_and_text(self) -> None:
        assert "0000</i>  01 02 41 0a" in hexdump(b"\x01\x02A\n")
        assert hexdump(b"A" * 5000).count("\n") == 256
        assert "904 bytes more" in hexdump(b"A" * 5000)

    def test_html_is_text(self) -> None:
        assert "<script>" not in hexdump(b"<script>")

    @pytest.mark.parametrize(("payload", "text"), [(b"a\nb", "a\nb"), ("温".encode(), "温"), (b"\xff", None), (b"a\x00", None)])
    def test_as_text(self, payload: bytes, text: str | None) -> None:
        assert as_text(payload) == text


def test_a_device_shows_its_latest_values_and_counts(device: Device, viewer: User) -> None:
    letter = make_letter(device)
    mend(device)
    Admin(make_member(device.tenant, Role.OPERATOR)).press(letter, "replay")
    page = Admin(viewer).open(device).content.decode()
    assert "Latest values" in page
    assert ">temperature<" in page
    assert "Last 24 hours" in page
