"""An effect on the outside world that was promised in a transaction and is delivered after it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet


class OutboxItem(models.Model):
    """One promise. `kind` says which carrier keeps it, `target` which of the tenant's things of that kind (0: there is one only).

    Where one thing has several addresses, such as a rule that calls two webhooks, each has a `lane` that waits for itself alone.
    Items with the same `kind`, `target`, `lane` and `device_id` are delivered in the order of their ids. `device_id` is no
    foreign key: a promise outlives its device, and a row is written with every batch. A payload with `entries` is a
    bundle of as many messages, in order per device; what of it is delivered is taken out of it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        DEAD = "dead", _("given up")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", verbose_name=_("tenant"))
    kind = models.CharField(_("kind"), max_length=32)
    target = models.BigIntegerField(_("target"), default=0)
    lane = models.CharField(_("address"), max_length=16, blank=True, default="", db_default="")
    device_id = models.BigIntegerField(_("device"), null=True)
    payload = models.JSONField(_("payload"))
    messages = models.PositiveIntegerField(_("messages"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "rules_outbox"
        verbose_name = _("promised effect")
        verbose_name_plural = _("promised effects")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["kind", "target", "lane", "id"], condition=models.Q(state="waiting"), name="outbox_waiting"),
            models.Index(fields=["state", "created_at"], condition=~models.Q(state="waiting"), name="outbox_done"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
