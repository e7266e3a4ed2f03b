"""What attributes were before: a row for each value that changed."""

from django.db import models

from .attribute import Scope


class AttributeChange(models.Model):
    """`value` is null where the attribute was taken away. Knows its device by number alone, as reports do."""

    device_id = models.BigIntegerField()
    scope = models.CharField(max_length=8, choices=Scope.choices)
    key = models.CharField(max_length=64)
    at = models.DateTimeField()
    value = models.JSONField(null=True)

    class Meta:
        verbose_name = "change of an attribute"
        verbose_name_plural = "changes of attributes"
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["device_id", "at"], name="attribute_change_by_time")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.key}"
