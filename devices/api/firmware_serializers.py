"""How firmware looks on the wire."""

from typing import Any

from rest_framework import serializers

from devices.models import Firmware, Product
from iotpanel.api.fields import KeyOfField


class FirmwareSerializer(serializers.Serializer[Firmware]):
    id = serializers.IntegerField()
    product = serializers.CharField(source="product.key")
    version = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    signature = serializers.CharField(allow_blank=True, help_text="Ed25519 over the 32 bytes of the SHA-256, as base64.")
    notes = serializers.CharField(allow_blank=True)
    uploaded_by = serializers.CharField(source="person.username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()


class NewFirmware(serializers.Serializer[Any]):
    product = serializers.CharField(max_length=64)
    version = serializers.CharField(max_length=200)
    file = serializers.FileField(allow_empty_file=True, max_length=None)
    size = serializers.IntegerField(required=False, min_value=0, help_text="What the file should have; 400 `size_mismatch`.")
    sha256 = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="The same; 400 `sha256_mismatch`.")
    signature = serializers.CharField(required=False, allow_blank=True, max_length=400, help_text="Base64 or hex.")
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000, trim_whitespace=False)
    rollback = serializers.BooleanField(required=False, help_text="Takes a version that is older than the product's newest.")


class FirmwareNotes(serializers.Serializer[Any]):
    notes = serializers.CharField(allow_blank=True, max_length=10_000, trim_whitespace=False)


class FirmwareQuery(serializers.Serializer[Any]):
    product = KeyOfField(Product.objects, required=False)
