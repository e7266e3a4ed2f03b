"""How self-registration, claiming and bulk creation look on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.certificates.chain import LONGEST
from devices.enrolment.claims import MAX_DAYS
from devices.enrolment.many import MAX_AT_ONCE
from devices.enrolment.policies import MAX_COMMON_NAME, MAX_DEVICES
from devices.models import Group, Product, RegistrationMode, SerialState
from iotpanel.api.fields import KeyOfField, ListOfAnythingField

from .serializers import CredentialsSerializer, GroupsField


class RegisterRequest(serializers.Serializer[Any]):
    """What a device sends that wants credentials of its own: `secret` and `serial`, or `chain` and `csr`."""

    product = serializers.CharField(max_length=140, help_text="`<key of the tenant>/<key of the product>`.")
    secret = serializers.CharField(required=False, max_length=200, trim_whitespace=False, help_text="The product's secret.")
    serial = serializers.CharField(required=False, max_length=64, help_text="The device's serial number.")
    chain = serializers.CharField(
        required=False,
        max_length=LONGEST,
        help_text="The certificate that the factory gave the device, in PEM, and behind it those that lead to the product's authority.",
    )
    csr = serializers.CharField(
        required=False,
        max_length=LONGEST,
        help_text="A request in PEM that this certificate's key has signed.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = ("chain", "csr") if {"chain", "csr"} & set(attrs) else ("secret", "serial")
        if missing := {name: _("This is required.") for name in wanted if name not in attrs}:
            raise serializers.ValidationError(missing)
        return attrs


class RegisterAnswer(serializers.Serializer[Any]):
    """201 with `credentials` or with `certificate`, or 202 while somebody has to approve it: ask again after `retry_after` seconds."""

    state = serializers.CharField(help_text="`registered` or `pending`.")
    credentials = CredentialsSerializer(required=False)
    username = serializers.CharField(required=False, help_text="The device's key, which is the certificate's common name.")
    certificate = serializers.CharField(required=False, help_text="In PEM, for the key of the request: it opens the door for certificates.")
    retry_after = serializers.IntegerField(required=False)


class PolicySerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(RegistrationMode.choices, required=False)
    approval = serializers.BooleanField(required=False, help_text="Whether somebody has to approve each serial number.")
    key_template = serializers.CharField(max_length=64, required=False, help_text="The device's key, with `{serial}` in it.")
    max_devices = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_DEVICES, help_text="Serial numbers that may come in without a list."
    )
    authority = serializers.CharField(
        max_length=LONGEST, required=False, allow_blank=True, help_text="Certificates in PEM whose devices may come in with a certificate."
    )
    common_name = serializers.CharField(
        max_length=MAX_COMMON_NAME, required=False, help_text="Where in such a certificate's name the serial number stands."
    )
    secret_made_at = serializers.DateTimeField(read_only=True, allow_null=True)

    when_absent: dict[str, Any] = {
        "mode": "closed",
        "approval": False,
        "key_template": "{serial}",
        "max_devices": 1000,
        "authority": "",
        "common_name": "{serial}",
    }


class ProductSecret(serializers.Serializer[Any]):
    product = serializers.CharField(help_text="What devices send as `product`.")
    secret = serializers.CharField()


class SerialQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(SerialState.choices, required=False)
    search = serializers.CharField(required=False, allow_blank=True, max_length=64)


class SerialSerializer(serializers.Serializer[Any]):
    serial = serializers.CharField(max_length=64)
    state = serializers.ChoiceField(SerialState.choices, read_only=True)
    device = serializers.CharField(source="device.key", default=None, allow_null=True, read_only=True)
    address = serializers.CharField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    asked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    decided_at = serializers.DateTimeField(read_only=True, allow_null=True)
    registered_at = serializers.DateTimeField(read_only=True, allow_null=True)


class SerialsRequest(serializers.Serializer[Any]):
    serials = ListOfAnythingField(help_text="Texts.")


class SerialsReport(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField()


class ClaimCodeRequest(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_DAYS, help_text="365 where nothing is said.")
    transferable = serializers.BooleanField(required=False, help_text="Whether people of other tenants may claim it.")


class ClaimCode(serializers.Serializer[Any]):
    code = serializers.CharField()
    url = serializers.CharField(help_text="The page that claims it, which is what the QR code says.")
    expires_at = serializers.DateTimeField()


class ClaimRequest(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    groups = GroupsField(child=KeyOfField(Group.objects), required=False, max_length=100)


class BulkRequest(serializers.Serializer[Any]):
    """Either `keys`, or `pattern` with `count`."""

    product = KeyOfField(Product.objects)
    keys = ListOfAnythingField(required=False)
    pattern = serializers.CharField(max_length=64, required=False, help_text="One `#` for each digit, such as pump-###.")
    count = serializers.IntegerField(required=False, min_value=1, max_value=MAX_AT_ONCE)
    first = serializers.IntegerField(required=False, min_value=0, max_value=10**12, help_text="The first number; 1.")
    claim_days = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_DAYS,
        help_text="More than 0: disabled until claimed, within so many days.",
    )
    transferable = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("keys" in attrs) == ("pattern" in attrs):
            raise serializers.ValidationError({"keys": _("Give either keys or a pattern.")})
        if "pattern" in attrs and "count" not in attrs:
            raise serializers.ValidationError({"count": _("How many?")})
        return attrs
