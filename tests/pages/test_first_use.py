"""Connecting a device: made with its product, its secret shown once, a program to paste."""

import re
from typing import Any

import pytest

from devices import catalog
from devices.models import Device, Product
from devices.provisioning import verify_secret
from iotpanel.tenants.models import Role, Tenant, User
from tests import make
from tests.pages.people import browser, words

NEW = "/devices/-/new/"


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN)


def connect(user: User, **sent: str) -> Any:
    return browser(user).post(NEW, {"product": "own:climate", "name": "Office", "key": "office"} | sent)


def test_it_offers_own_and_ready_products(admin: User, tenant: Tenant) -> None:
    make.make_product(tenant, key="climate", name="My climate")
    text = words(browser(admin).get(NEW).content)

    assert "My climate" in text
    assert all(product["name"] in text for product in catalog.list_products() if product["key"] != "climate")


def test_the_secret_is_shown_once_and_works(admin: User, tenant: Tenant) -> None:
    make.make_product(tenant, key="climate")
    shown = connect(admin).content.decode()
    [secret] = re.findall(r'id="secret">([^<]+)<', shown)

    device = verify_secret("office", secret)
    assert device is not None
    assert device.name == "Office"
    assert secret in shown.split('id="snippet-')[1]
    assert "no-store" in connect(admin)["Cache-Control"]
    assert secret not in browser(admin).get("/devices/office/connect/").content.decode()


def test_a_ready_product_comes_with_the_device(admin: User, tenant: Tenant) -> None:
    ready = catalog.list_products()[0]["key"]
    connect(admin, product=f"ready:{ready}")

    assert Device.objects.get(key="office").product.key == ready


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"product": ""}, "Choose what it is"),
        ({"product": "ready:nothing"}, "Choose what it is"),
        ({"product": "own:foreign"}, "Choose what it is"),
        ({"key": "a b"}, "letters, digits"),
        ({"key": ""}, "letters, digits"),
        ({"key": "iotpanel-x"}, "reserved"),
        ({"key": "taken"}, "taken"),
        ({"name": "x" * 201}, "At most 200"),
    ],
)
def test_a_mistake_is_named_and_makes_nothing(sent: dict[str, str], said: str, admin: User, tenant: Tenant, other_tenant: Tenant) -> None:
    product = make.make_product(tenant, key="climate")
    make.make_device(tenant, key="taken", product=product)
    make.make_product(other_tenant, key="foreign")
    answer = connect(admin, **sent)

    assert said in words(answer.content)
    assert Device.objects.count() == 1
    assert 'value="Office"' in answer.content.decode() or "name" in sent


def test_a_taken_key_leaves_no_product_behind(admin: User, tenant: Tenant) -> None:
    make.make_device(tenant, key="office", product=make.make_product(tenant, key="climate"))
    connect(admin, product=f"ready:{catalog.list_products()[0]['key']}")

    assert Product.objects.count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_admins_make_devices(role: str, tenant: Tenant) -> None:
    user = make.make_member(tenant, role)

    assert browser(user).get(NEW).status_code == 403
    assert connect(user).status_code == 403
    assert "An admin or the owner" in words(browser(user).get("/welcome/").content)
    assert Device.objects.count() == 0


def test_htmx_gets_the_steps_alone(admin: User, tenant: Tenant) -> None:
    make.make_product(tenant, key="climate")
    part = browser(admin).post(NEW, {"product": "own:climate", "name": "Office", "key": "office"}, headers={"HX-Request": "true"})

    assert "<html" not in part.content.decode()
    assert 'data-wait-for="office"' in part.content.decode()


def test_an_empty_tenant_is_welcomed(owner: User) -> None:
    assert "Connect your first device" in words(browser(owner).get("/welcome/").content)
