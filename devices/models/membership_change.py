"""Which groups and labels devices had, and how groups stood to each other: a row for each change, so that the past can be asked.

Triggers write them (migration 0017), whoever changes memberships and how. All know things by number alone.
"""

from django.db import models


class LabelChange(models.Model):
    """All labels of a device since `at`. Each device has one from its making on, which says since when its groups are known too."""

    device_id = models.BigIntegerField()
    at = models.DateTimeField()
    labels = models.JSONField()

    class Meta:
        verbose_name = "change of labels"
        verbose_name_plural = "changes of labels"
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["device_id", "at"], name="label_change_by_time")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.labels}"


class GroupChange(models.Model):
    """A device came into a group, or went. Of one device and group, rows of higher ids are no earlier."""

    device_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    at = models.DateTimeField()
    inside = models.BooleanField()

    class Meta:
        verbose_name = "change of a membership"
        verbose_name_plural = "changes of memberships"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["device_id", "at"], name="group_change_by_time"),
            models.Index(fields=["group_id", "device_id"], name="group_change_by_group"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {'in' if self.inside else 'out of'} {self.group_id}"


class TreeChange(models.Model):
    """A group stands below `parent_id` since `at`, or is gone."""

    tenant_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    at = models.DateTimeField()
    key = models.CharField(max_length=64)
    parent_id = models.BigIntegerField(null=True)
    gone = models.BooleanField()

    class Meta:
        verbose_name = "change of a tree"
        verbose_name_plural = "changes of trees"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["tenant_id", "at"], name="tree_change_by_time"),
            models.Index(fields=["group_id", "at"], name="tree_change_by_group"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {'is gone' if self.gone else f'below {self.parent_id}'}"
