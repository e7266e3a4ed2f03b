"""Limits as tenants and products set them: who may, what is legal, what is shown."""

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from devices.limits import device_limit, limits_of
from iotpanel.tenants.limits import Limit, clean_burst, clean_rate, first_of, tenant_limit
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_device, make_member
from tests.rest import Rest

pytestmark = pytest.mark.django_db


def test_the_first_that_says_something_decides() -> None:
    assert first_of(("device", None, None), ("product", 5.0, 7), ("platform", 9.0, 0)) == Limit(5.0, 7, "product")
    assert first_of(("device", 0.0, None), ("platform", 9.0, 0)) is None
    assert first_of(("platform", 0.5, 0)) == Limit(0.5, 5, "platform")
    assert first_of(("device", None, 3)) is None


@pytest.mark.parametrize("bad", [-1, True, "5", float("nan"), float("inf"), 1e9, [], {}])
def test_rates_that_are_none(bad: object) -> None:
    with pytest.raises(ValidationError):
        clean_rate(bad)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "5", 10**12])
def test_bursts_that_are_none(bad: object) -> None:
    with pytest.raises(ValidationError):
        clean_burst(bad)


def test_nothing_limits_by_default(tenant: Tenant, settings: Settings) -> None:
    device = make_device(tenant)
    assert limits_of(device, device.product, tenant) is None
    settings.TENANT_RATE, settings.TENANT_BURST = 100, 0
    assert tenant_limit(tenant) == Limit(100, 1000, "platform")
    assert device_limit(device, device.product) is None


def test_only_superusers_limit_a_tenant(tenant: Tenant, owner: User, superuser: User) -> None:
    assert Rest(owner).patch(f"tenants/{tenant.key}/", {"limits": {"rate": 5}}).status_code == 403
    changed = Rest(superuser).patch(f"tenants/{tenant.key}/", {"limits": {"rate": 5, "burst": 50}})
    assert changed.json()["limits"] == {"rate": 5.0, "burst": 50}
    assert Rest(owner).get(f"tenants/{tenant.key}/").json()["limits"] == {"rate": 5.0, "burst": 50}
    bad = Rest(superuser).patch(f"tenants/{tenant.key}/", {"limits": {"rate": -5}})
    assert bad.status_code == 400


def test_admins_limit_devices_and_operators_do_not(tenant: Tenant, owner: User) -> None:
    device = make_device(tenant)
    path = f"devices/{device.key}/"
    operator = make_member(tenant, Role.OPERATOR)
    assert Rest(operator).patch(path, {"limits": {"rate": 5}}).status_code == 403
    assert Rest(owner).patch(path, {"limits": {"rate": 5}}).json()["limits"] == {"rate": 5.0, "burst": None}
    refused = Rest(owner).patch(path, {"limits": {"burst": 0}})
    assert refused.status_code == 400
    assert "limits.burst" in str(refused.json())
