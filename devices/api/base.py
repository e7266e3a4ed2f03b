"""An endpoint about one device of the tenant."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request

from devices.exceptions import Unavailable as PartIsDown
from devices.models import Device
from iotpanel.api.errors import Unavailable
from iotpanel.tenants.api.base import TenantEndpoint


class DeviceEndpoint(TenantEndpoint):
    """`self.device` is the device that the address names; raises Http404 for a stranger's as for none."""

    resource = "devices"
    device: Device

    def enter(self, request: Request) -> None:
        super().enter(request)
        found = Device.objects.for_tenant(self.tenant).select_related("product", "tenant").filter(key=self.kwargs["key"]).first()
        if found is None:
            raise Http404
        self.device = found

    def handle_exception(self, exc: Exception) -> Any:
        """A part that is down is 503, whatever part it is."""
        return super().handle_exception(Unavailable(str(exc)) if isinstance(exc, PartIsDown) else exc)
