"""A device as a form."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from devices.models import Device
from iotpanel.tenants.admin.base import VerbForm
from iotpanel.tenants.admin.rows import PairsField


class DeviceForm(VerbForm):
    labels = PairsField(label=_("Labels"))

    class Meta:
        model = Device
        fields = (
            *("tenant", "key", "name", "product", "parent", "groups", "labels", "latitude", "longitude", "enabled"),
            *("rate_limit", "rate_burst"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = False
            self.fields["name"].help_text = _("Empty: the key.")
