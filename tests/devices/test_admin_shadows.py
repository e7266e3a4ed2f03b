"""The admin's list of shadows, for looking: what differs, what waits, and how each became what it is."""

import pytest
from django.utils import timezone

from devices.downlink import shadow
from devices.models import Device, Shadow, ShadowStep
from iotpanel.tenants.models import Tenant, User
from tests.admin_client import Admin, queries_of
from tests.make import make_device, make_product
from tests.pages.people import links, words

HOSTILE = "</pre><script>alert(1)</script>"


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant), key="valve", name="<b>Valve</b>")


def make_shadow(device: Device, person: User | None = None) -> Shadow:
    shadow.patch_desired(device, {"note": HOSTILE, "long": "x" * 500}, person=person)
    return Shadow.objects.get(device=device)


def report(device: Device, state: dict[str, object]) -> None:
    """What the device says of itself."""
    row = shadow.locked([device.pk])[device.pk]
    assert shadow.apply_patch(row, "reported", state, timezone.now())
    row.wanted = ""
    row.save()


def test_people_see_their_own_and_nothing_is_html(device: Device, viewer: User, stranger: User, owner: User) -> None:
    made = make_shadow(device, owner)
    for page in (Admin(viewer).list(Shadow), Admin(viewer).open(made)):
        text = page.content.decode()
        assert page.status_code == 200
        assert "<script>alert" not in text and "<b>Valve" not in text
        assert "the difference" in words(page.content)
    listed = words(Admin(viewer).list(Shadow).content)
    assert '"long": "xxx' in listed and "x" * 100 not in listed
    assert "valve" not in words(Admin(stranger).list(Shadow).content)
    assert Admin(stranger).open(made).status_code == 404


def test_the_page_holds_all_parts_and_the_last_steps(device: Device, tenant: Tenant, viewer: User, owner: User) -> None:
    made = make_shadow(device, owner)
    report(device, {"told": "by the device"})
    shadow.share(device, {"site": "hall"})
    for number in range(50):
        shadow.patch_desired(device, {"n": number})
    page = Admin(viewer).open(made)
    text = words(page.content)

    assert all(part in text for part in ('"note"', '"told": "by the device"', '"site": "hall"', '"n": 49'))
    assert page.content.decode().count("<tr><td>") == 50
    assert '{"n": 0}' in text and "olga" not in text  # hers was the first step, which is too old by now
    assert f"/devices/valve/shadow/?tenant={tenant.key}" in links(page.content)


def test_who_changed_it_is_said(device: Device, viewer: User, owner: User) -> None:
    assert "olga" in words(Admin(viewer).open(make_shadow(device, owner)).content)


def test_the_list_is_searched_and_filtered(device: Device, tenant: Tenant, viewer: User) -> None:
    make_shadow(device)
    settled = make_device(tenant, key="settled")
    shadow.patch_desired(settled, {"a": 1})
    report(settled, {"a": 1})

    def found(**query: str) -> set[str]:
        page = Admin(viewer).list(Shadow, **query)
        return set(page.context["cl"].result_list.values_list("device__key", flat=True))  # type: ignore[attr-defined]

    assert [found(state=state) for state in ("differs", "waits", "same")] == [{"valve"}, {"valve"}, {"settled"}]
    assert (found(q="sett"), found(q="Valve"), found(state="?")) == ({"settled"}, {"valve"}, {"valve", "settled"})
    assert "in sync" in words(Admin(viewer).list(Shadow, q="settled").content)


@pytest.mark.parametrize("name", ["owner", "superuser"])
def test_nobody_writes_it_by_hand(device: Device, request: pytest.FixtureRequest, name: str) -> None:
    made = make_shadow(device)
    admin = Admin(request.getfixturevalue(name))
    assert admin.open(made).status_code == 200
    assert admin.change(made, desired="{}").status_code == 403
    assert admin.delete(made).status_code == 403
    assert admin.add(Shadow, device=device.pk).status_code == 403
    assert Shadow.objects.get().desired["note"] == HOSTILE


def test_more_rows_are_no_more_queries(device: Device, tenant: Tenant, viewer: User, owner: User) -> None:
    made = make_shadow(device, owner)
    few, inside = queries_of(viewer, Shadow), queries_of(viewer, Shadow, made)
    for number in range(5):
        make_shadow(make_device(tenant, key=f"more-{number}"))
        shadow.patch_desired(device, {"n": number}, person=owner)
    assert (queries_of(viewer, Shadow), queries_of(viewer, Shadow, made)) == (few, inside)
    assert ShadowStep.objects.filter(device=device).count() == 6
