"""Groups form trees, within their tenant."""

import pytest
from django.core.exceptions import ValidationError

from devices.groups import delete_group, update_group
from devices.models import Device, Group
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_group

pytestmark = pytest.mark.django_db


def test_a_tree(tenant: Tenant) -> None:
    site = make_group(tenant)
    hall = make_group(tenant, parent=site)
    room = make_group(tenant, parent=hall)
    make_group(tenant)
    assert set(Group.objects.subtree(site)) == {site, hall, room}


def test_devices_of_a_group_are_those_below_it(tenant: Tenant) -> None:
    site = make_group(tenant)
    hall = make_group(tenant, parent=site)
    inside = make_device(tenant, groups=[hall, site])
    make_device(tenant, groups=[make_group(tenant)])
    assert list(Device.objects.in_group(site)) == [inside]


def test_no_circles(tenant: Tenant) -> None:
    site = make_group(tenant)
    hall = make_group(tenant, parent=site)
    for parent in (hall, site):
        with pytest.raises(ValidationError) as caught:
            update_group(site, parent=parent)
        assert "parent" in caught.value.message_dict


def test_the_wall(tenant: Tenant, other_tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as caught:
        make_group(tenant, parent=make_group(other_tenant))
    assert "parent" in caught.value.message_dict


def test_a_key_is_taken_in_its_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    make_group(tenant, key="site")
    make_group(other_tenant, key="site")
    with pytest.raises(Conflict):
        make_group(tenant, key="site")


def test_the_name_is_the_key_where_none_is_said(tenant: Tenant) -> None:
    assert make_group(tenant, key="site", name="").name == "site"


def test_all_problems_at_once(tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as caught:
        make_group(tenant, key="a b", name="\x00")
    assert set(caught.value.message_dict) == {"key", "name"}


def test_update(tenant: Tenant) -> None:
    group, other = make_group(tenant), make_group(tenant)
    update_group(group, name="New", parent=other)
    group.refresh_from_db()
    assert (group.name, group.parent) == ("New", other)
    update_group(group, parent=None)
    group.refresh_from_db()
    assert group.parent is None


def test_a_group_with_groups_stays(tenant: Tenant) -> None:
    site = make_group(tenant)
    hall = make_group(tenant, parent=site)
    with pytest.raises(Conflict):
        delete_group(site)
    delete_group(hall)
    delete_group(site)
    assert not Group.objects.for_tenant(tenant).exists()


def test_devices_stay_when_their_group_goes(tenant: Tenant) -> None:
    group = make_group(tenant)
    device = make_device(tenant, groups=[group])
    delete_group(group)
    assert list(device.groups.all()) == []
