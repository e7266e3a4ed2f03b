import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_django import Settings

from devices.firmware import sending
from devices.models import Product
from iotpanel.tenants.models import Tenant
from tests.make import make_product


class Maker:
    """Somebody who builds firmware: signs images with a key of their own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        self.pem = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, image: bytes) -> str:
        return base64.b64encode(self._key.sign(hashlib.sha256(image).digest())).decode()


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where images are kept during the test."""
    settings.FIRMWARE_DIR = tmp_path / "firmware"
    return tmp_path / "firmware"


@pytest.fixture(autouse=True)
def nobody_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's test client closes no answer that nobody reads."""
    monkeypatch.setattr(sending, "DOORS", sending.Doors())


@pytest.fixture
def pump(tenant: Tenant, folder: Path) -> Product:
    return make_product(tenant, key="pump")
