"""An errand: what a job has told one device and waits for, such as an update or a new secret. Its row is its own outbox."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet

from .device import Device
from .firmware import Firmware
from .job import JobTarget


class ErrandState(models.TextChoices):
    """The device's own words from `downloading` on; the last three are final."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Offered")
    DOWNLOADING = "downloading", _("Downloading")
    VERIFYING = "verifying", _("Verifying")
    INSTALLING = "installing", _("Installing")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class ErrandKind(models.TextChoices):
    OTA = "ota", _("Update")
    CREDENTIALS = "credentials", _("New secret")


class ErrandSet(TenantQuerySet):
    tenant_path = "device__tenant"


class Errand(models.Model):
    """`wanted`: to be sent as soon as the device is there. `due_at` ends it: how long it is waited for, then for its next word.

    `sealed` is the new secret, encrypted, until the device has it.
    """

    target = models.ForeignKey(JobTarget, models.CASCADE, related_name="errands")
    device = models.ForeignKey(Device, models.CASCADE, related_name="errands", db_index=False)
    kind = models.CharField(max_length=16, choices=ErrandKind.choices)
    state = models.CharField(max_length=12, choices=ErrandState.choices, default=ErrandState.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    wanted = models.BooleanField(default=True)
    timeout = models.FloatField()
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    firmware = models.ForeignKey(Firmware, models.SET_NULL, null=True, related_name="errands")
    sealed = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ErrandSet.as_manager()

    class Meta:
        verbose_name = _("errand")
        verbose_name_plural = _("errands")
        constraints = [models.UniqueConstraint(fields=["device", "kind"], condition=Q(finished_at=None), name="one_errand_at_a_time")]
        indexes = [models.Index(fields=["device"], condition=Q(wanted=True), name="errand_wanted")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.kind} {self.state}"


class ChunkRequest(models.Model):
    """A piece of an image that a device without HTTP has asked for; its newest wish replaces the one before."""

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="+")
    firmware = models.ForeignKey(Firmware, models.CASCADE, related_name="+")
    offset = models.BigIntegerField()
    length = models.PositiveIntegerField()
    asked_at = models.DateTimeField()

    objects = ErrandSet.as_manager()

    class Meta:
        verbose_name = _("wanted piece")
        verbose_name_plural = _("wanted pieces")

    def __str__(self) -> str:
        return f"{self.device_id} {self.offset}"
