"""A group of devices: a place, a line, a customer's site; groups form trees."""

from typing import Self

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.keys import validate_key
from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet

_SUBTREE = """
    WITH RECURSIVE subtree(id) AS (
        SELECT id FROM devices_group WHERE id = %s
        UNION SELECT child.id FROM devices_group child JOIN subtree ON child.parent_id = subtree.id
    ) SELECT id FROM subtree
"""


class GroupSet(TenantQuerySet):
    def subtree(self, group: "Group") -> Self:
        """The group and everything below it."""
        with connection.cursor() as cursor:
            cursor.execute(_SUBTREE, [group.pk])
            return self.filter(pk__in=[row[0] for row in cursor.fetchall()])


class Group(InHistory, models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="groups", verbose_name=_("tenant"))
    key = models.CharField(_("key"), max_length=64, validators=[validate_key])
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey("self", models.RESTRICT, null=True, blank=True, related_name="children", verbose_name=_("parent"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = GroupSet.as_manager()

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="group_key_per_tenant")]

    def __str__(self) -> str:
        return self.name
