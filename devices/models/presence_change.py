"""Who came and went, and when: a row for each change, so that the past can be asked whether a device was there."""

from django.db import models


class PresenceChange(models.Model):
    """`at` is our clock. Knows its device by number alone; what is left of a deleted one is erased in the background."""

    device_id = models.BigIntegerField()
    at = models.DateTimeField()
    online = models.BooleanField()
    cause = models.CharField(max_length=16, blank=True)

    class Meta:
        verbose_name = "change of a presence"
        verbose_name_plural = "changes of presences"
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["device_id", "at"], name="presence_change_by_time")]

    def __str__(self) -> str:
        return f"{self.device_id} {'online' if self.online else 'offline'}"
