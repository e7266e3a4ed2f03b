"""What is noted of groups and labels: each change, whoever makes it and how, for as long as changes are kept."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from devices import groups, membership_history, provisioning
from devices.device_csv import make_plan, write
from devices.enrolment import claims
from devices.models import Device, Group, GroupChange, LabelChange, TreeChange
from devices.timestamps import to_microseconds
from iotpanel.tenants.configuration import applying, document
from iotpanel.tenants.configuration.plan import export
from iotpanel.tenants.models import Role, Tenant
from telemetry import erasure, old_changes
from telemetry.pruning import Deadline
from tests.make import make_device, make_group, make_member
from tests.rest import Rest

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def moves(device: Device) -> list[tuple[str, bool]]:
    """Into which groups it came, and out of which it went, by key."""
    keys = dict(TreeChange.objects.values_list("group_id", "key"))
    rows = GroupChange.objects.filter(device_id=device.pk).order_by("pk")
    return [(keys[group_id], inside) for group_id, inside in rows.values_list("group_id", "inside")]


def labels(device: Device) -> list[dict[str, str]]:
    return list(LabelChange.objects.filter(device_id=device.pk).order_by("pk").values_list("labels", flat=True))


def tree(tenant: Tenant) -> list[tuple[str, str | None, bool]]:
    keys: dict[int | None, str] = dict(TreeChange.objects.values_list("group_id", "key"))
    rows = TreeChange.objects.filter(tenant_id=tenant.pk).order_by("pk")
    return [(key, keys.get(above), gone) for key, above, gone in rows.values_list("key", "parent_id", "gone")]


def by_verb(device: Device, group: Group) -> None:
    provisioning.update_device(device, groups=[group], labels={"floor": "2"})


def by_rest(device: Device, group: Group) -> None:
    person = make_member(device.tenant, Role.ADMIN)
    assert Rest(person).patch(f"devices/{device.key}/", {"groups": [group.key], "labels": {"floor": "2"}}).status_code == 200


def by_csv(device: Device, group: Group) -> None:
    for _ in range(2):  # the second time nothing changes
        row = {"key": device.key, "groups": group.key, "labels": "floor=2"}
        assert write(make_plan(device.tenant, list(row), [row]))[0] == 0


def by_queryset(device: Device, group: Group) -> None:
    Device.objects.filter(pk=device.pk).update(labels={"floor": "2"})
    device.groups.set([group])


@pytest.mark.parametrize("change", [by_verb, by_rest, by_csv, by_queryset])
def test_each_change_is_noted_whoever_makes_it(tenant: Tenant, change: Callable[[Device, Group], None]) -> None:
    cold, hall = make_group(tenant, key="cold"), make_group(tenant, key="hall")
    device, other = make_device(tenant, groups=[cold], labels={"floor": "1"}), make_device(tenant)
    assert (moves(device), labels(device)) == ([("cold", True)], [{"floor": "1"}])
    change(device, hall)
    assert labels(device) == [{"floor": "1"}, {"floor": "2"}]
    assert stood(device, cold, hall) == {"hall"}
    assert (moves(other), labels(other)) == ([], [{}])


def stood(device: Device, *known: Group) -> set[str]:
    """Where it is by what was noted."""
    inside: set[str] = set()
    for _at, group_id, came in membership_history.groups_of(device.pk, [each.pk for each in known]):
        [key] = [each.key for each in known if each.pk == group_id]
        inside = inside | {key} if came else inside - {key}
    return inside


def test_what_changes_nothing_is_not_noted(tenant: Tenant) -> None:
    hall = make_group(tenant)
    device = make_device(tenant, groups=[hall], labels={"a": "1"})
    provisioning.update_device(device, name="Other", groups=[hall], labels={"a": "1"})
    groups.update_group(hall, name="Other")
    assert (len(moves(device)), len(labels(device)), len(tree(tenant))) == (1, 1, 1)


def test_what_is_taken_and_given_back_at_once_is_of_one_instant(tenant: Tenant) -> None:
    """A CSV file writes the groups of each row that changed anew."""
    hall = make_group(tenant, key="hall")
    device = make_device(tenant, groups=[hall])
    row = {"key": device.key, "name": "Other", "groups": "hall"}
    assert write(make_plan(tenant, list(row), [row])) == (0, 1)
    assert moves(device) == [("hall", True), ("hall", False), ("hall", True)]
    assert GroupChange.objects.filter(device_id=device.pk).values("at").distinct().count() == 1


def test_a_claim_and_a_device_that_goes_to_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    hall = make_group(tenant, key="hall")
    device = make_device(tenant)
    claims.claim(tenant, claims.prepare(device)[1], groups=[hall])
    assert moves(device) == [("hall", True)]
    moved = claims.claim(other_tenant, claims.prepare(device, transferable=True)[1], groups=[make_group(other_tenant, key="theirs")])
    assert moves(moved) == [("hall", True), ("hall", False), ("theirs", True)]


def test_groups_that_are_made_moved_and_deleted(tenant: Tenant, other_tenant: Tenant) -> None:
    site, hall = make_group(tenant, key="site"), make_group(tenant, key="hall")
    device = make_device(tenant, groups=[hall])
    groups.update_group(hall, parent=site)
    groups.delete_group(hall)
    assert tree(tenant) == [("site", None, False), ("hall", None, False), ("hall", "site", False), ("hall", "site", True)]
    assert moves(device) == [("hall", True), ("hall", False)]
    assert tree(other_tenant) == []


def test_configuration_as_code_moves_groups(tenant: Tenant) -> None:
    make_group(tenant, key="hall", name="Hall", parent=make_group(tenant, key="site", name="Site"))
    text = document.write(export(tenant))
    applying.apply(tenant, document.read(text.replace("    parent: site\n", "")))
    applying.apply(tenant, document.read(text))
    assert [each for each in tree(tenant) if each[0] == "hall"] == [("hall", "site", False), ("hall", None, False), ("hall", "site", False)]


def test_trees_by_time(tenant: Tenant) -> None:
    site, hall = make_group(tenant, key="site"), make_group(tenant, key="hall")
    groups.update_group(hall, parent=site)
    now = to_microseconds(timezone.now())
    minutes = {row.pk: number - 10 for number, row in enumerate(TreeChange.objects.order_by("pk"))}
    for pk, minute in minutes.items():
        TreeChange.objects.filter(pk=pk).update(at=timezone.now() + timedelta(minutes=minute))
    later = {site.pk: ("site", None), hall.pk: ("hall", site.pk)}
    before = {site.pk: ("site", None), hall.pk: ("hall", None)}
    found = [dict(tree) for _at, tree in membership_history.trees(tenant.pk, now - 3_600_000_000, now)]
    assert found == [before, later]
    assert [dict(tree) for _at, tree in membership_history.trees(tenant.pk, now, now + 1)] == [later]


def test_a_platform_that_is_upgraded_knows_how_things_stand(tenant: Tenant) -> None:
    hall = make_group(tenant, key="hall", parent=make_group(tenant, key="site"))
    device = make_device(tenant, groups=[hall], labels={"floor": "1"})
    for model in (GroupChange, LabelChange, TreeChange):
        model.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("devices.migrations.0017_membership_changes").SEED)
    assert (moves(device), labels(device)) == ([("hall", True)], [{"floor": "1"}])
    assert sorted(each[:2] for each in tree(tenant)) == [("hall", "site"), ("site", None)]


def test_they_are_kept_as_long_as_other_changes_and_go_with_their_device(tenant: Tenant, settings: Settings) -> None:
    settings.CHANGE_DAYS = 10
    hall, yard = make_group(tenant, key="hall"), make_group(tenant, key="yard")
    device, other = make_device(tenant, groups=[yard]), make_device(tenant, groups=[yard])
    for number in range(4):
        provisioning.update_device(device, groups=[yard, hall] if number % 2 == 0 else [yard], labels={"n": str(number)})
    number_of_hall = hall.pk
    groups.delete_group(hall)
    now = timezone.now()
    for model in (GroupChange, LabelChange, TreeChange):
        for number, row in enumerate(model.objects.order_by("pk")):
            model.objects.filter(pk=row.pk).update(at=now - 30 * DAY + number * timedelta(hours=1))
    assert old_changes.drop(now=now, deadline=Deadline(30)) == 3 + 4 + 2
    left = GroupChange.objects.filter(device_id=device.pk).order_by("pk").values_list("group_id", "inside")
    assert list(left) == [(yard.pk, True), (number_of_hall, False)]
    assert labels(device) == [{"n": "3"}]
    assert tree(tenant) == [("yard", None, False)]
    device.delete()
    erasure.run()
    assert set(GroupChange.objects.values_list("device_id", flat=True)) == {other.pk}
    assert set(LabelChange.objects.values_list("device_id", flat=True)) == {other.pk}


def test_too_many_changes_leave_what_holds_now(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_changes, "MOST_OF_A_DEVICE", 4)
    yard, hall = make_group(tenant, key="yard"), make_group(tenant, key="hall")
    device = make_device(tenant, groups=[yard])
    for number in range(9):
        provisioning.update_device(device, groups=[yard, hall] if number % 2 == 0 else [yard])
    assert len(moves(device)) == 10
    old_changes.drop(now=timezone.now(), deadline=Deadline(30))
    assert (len(moves(device)), stood(device, yard, hall)) == (5, {"yard", "hall"})
