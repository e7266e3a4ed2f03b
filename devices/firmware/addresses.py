"""Short-lived addresses of images: each is signed for one package and one device, and works while the device's update does."""

from typing import NamedTuple

from django.conf import settings
from django.core import signing

from devices.hosts import web_address
from devices.models import Device, Errand, Firmware

SALT = "iotpanel.devices.firmware"
PATH = "/api/v1/device/firmware/"


class Refused(Exception):
    """`bad_address`: not ours; `address_expired`: ask for a new one; `withdrawn`: the update has ended or the package is gone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Grant(NamedTuple):
    """What an address opens."""

    firmware: Firmware
    device: Device


def make(firmware_id: int, device_id: int) -> str:
    """The whole address, as it is sent to the device."""
    return f"{web_address()}{PATH}{signing.dumps([firmware_id, device_id], salt=SALT)}"


def read(token: str) -> Grant:
    """Raises Refused."""
    try:
        firmware_id, device_id = signing.loads(token, salt=SALT, max_age=settings.FIRMWARE_ADDRESS_SECONDS)
    except signing.SignatureExpired as error:
        raise Refused("address_expired") from error
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Refused("bad_address") from error
    running = Errand.objects.filter(firmware=firmware_id, device=device_id, finished_at=None, device__enabled=True)
    found = running.select_related("firmware", "device").first()
    if found is None or found.firmware is None:
        raise Refused("withdrawn")
    return Grant(found.firmware, found.device)
