"""Devices that are gone and whose data are still to be erased; written by a trigger on the device's deletion."""

from django.db import models


class Erasure(models.Model):
    device_id = models.BigIntegerField(primary_key=True)
    requested_at = models.DateTimeField(auto_now_add=True)
