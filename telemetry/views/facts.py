"""What takes a moment to count about a device: its silences of the last day, its messages."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from iotpanel.tenants.web import tenant_page
from telemetry import gaps as missing

from .device import device_of

DAY = timedelta(days=1)


@require_safe
@tenant_page()
def gaps(request: HttpRequest, key: str) -> HttpResponse:
    """The silences of the last day, newest first."""
    device = device_of(request, key)
    now = timezone.now()
    period, found = missing.of_device(device, now - DAY, now)
    rows = [(gap, gap.seconds) for gap in found]
    usual = period.seconds if period else None
    return render(request, "devices/detail/gaps.html", {"device": device, "usual": usual, "gaps": rows[:5], "more": len(rows) - 5})
