"""Self-registration with a certificate of the factory, in place of the secret that all devices of a product share.

The broker trusts our own authority alone, because it takes the common name for the account. So a maker's certificate opens
no session: it gets the device one of ours, for the same key. A request that somebody else caught and sends again
gets a certificate that only the device can use.
"""

from typing import NamedTuple

from cryptography.x509 import Certificate
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.certificates import Issued, issue
from devices.certificates.chain import common_name, leads_to, read_certificates, same_key
from devices.certificates.requests import read_request
from devices.models import Device, RegistrationPolicy, SerialState
from devices.provisioning import insert_device
from iotpanel.api.errors import Conflict, Unauthorized

from .policies import serial_of
from .registration import ask, known, note, opened


class Admitted(NamedTuple):
    device: Device
    issued: Issued


@transaction.atomic
def register_by_certificate(product: str, chain: str, csr: str, *, address: str | None = None) -> Admitted | None:
    """A certificate of ours for the device that shows `chain`, its own certificate first, and has signed `csr` with its key.

    None while somebody has to approve it. It may come again, as before its certificate ends. Raises Unauthorized
    `wrong_certificate`, Forbidden and Conflict as `register`, Conflict `too_many_certificates`, ValidationError by field.
    """
    policy, serial = _policy(product, chain, csr)
    found = ask(policy, serial, address)
    if found is None:
        return None
    row, policy, key = found
    gone = row.device.tenant_id != policy.product.tenant_id if row.device else row.state == SerialState.REGISTERED
    if gone:  # another tenant has claimed it since: what we trust no longer speaks for it
        raise Conflict("already_registered", _("The device of this serial number was deleted, or has another owner."))
    device = row.device or insert_device(policy.product.tenant, key, {"name": row.serial, "product": policy.product})
    note(row, device)
    return Admitted(device, issue(device, csr=csr))


def _policy(product: str, chain: str, csr: str) -> tuple[RegistrationPolicy, str]:
    """The policy that trusts the certificate, and the serial number in its name. Of what is wrong nothing is said to strangers."""
    shown, key = _read(chain), read_request(csr)
    found = known(product)
    trusted = read_certificates(found.authority) if found and found.authority else []
    serial = serial_of(found, common_name(shown[0])) if found else ""
    if found is None or not serial or not same_key(shown[0], key) or not leads_to(shown, trusted, timezone.now()):
        text = _("There is no such product, or it does not trust this certificate, or the request is not signed with its key.")
        raise Unauthorized("wrong_certificate", text)
    return opened(found), serial


def _read(chain: str) -> list[Certificate]:
    try:
        return read_certificates(chain)
    except ValidationError as error:
        raise ValidationError({"chain": error.error_list}) from error
