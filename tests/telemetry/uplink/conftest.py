"""A product and a device that most of these tests speak as."""

import pytest

from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(
        tenant,
        key="room",
        thing_model={
            "properties": [{"key": "temperature", "type": "number", "min": -40, "max": 85}, {"key": "door", "type": "boolean"}],
            "attributes": [{"key": "firmware", "type": "text"}],
            "events": [{"key": "opened", "params": [{"key": "by", "type": "text", "required": True}]}],
        },
    )


@pytest.fixture
def device(product: Product) -> Device:
    return make_device(product=product, key="room-1")
