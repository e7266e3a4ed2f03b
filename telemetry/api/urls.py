"""The addresses of what devices say, below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from iotpanel.tenants.keys import KEY_PATTERN

from .dead_letters import DeadLettersViewSet
from .device_data import AttributesView, EventsView, FramesView, LatestView
from .device_door import DeviceDoor, PortDoor
from .device_ota import OtaDoor
from .ledger import DeviceLedgerView, GapsView, LedgerView
from .limits import DeviceLimitsView, LimitsView
from .readings import ReadingsView
from .replays import ReplaysViewSet
from .reprocess import ReprocessView

router = SimpleRouter()
router.register("dead-letters/replays", ReplaysViewSet, "replays")
router.register("dead-letters", DeadLettersViewSet, "dead-letters")
DEVICE = rf"^devices/(?P<key>{KEY_PATTERN})/"

urlpatterns = [
    re_path(rf"{DEVICE}latest/$", LatestView.as_view(), name="latest"),
    re_path(rf"{DEVICE}readings/$", ReadingsView.as_view(), name="readings"),
    re_path(rf"{DEVICE}events/$", EventsView.as_view(), name="events"),
    re_path(rf"{DEVICE}attributes/$", AttributesView.as_view(), name="attributes"),
    re_path(rf"{DEVICE}frames/$", FramesView.as_view(), name="frames"),
    re_path(rf"{DEVICE}ledger/$", DeviceLedgerView.as_view(), name="device-ledger"),
    re_path(rf"{DEVICE}gaps/$", GapsView.as_view(), name="gaps"),
    re_path(rf"{DEVICE}limits/$", DeviceLimitsView.as_view(), name="device-limits"),
    path("ledger/", LedgerView.as_view(), name="ledger"),
    path("limits/", LimitsView.as_view(), name="limits"),
    re_path(rf"^products/(?P<key>{KEY_PATTERN})/reprocess/$", ReprocessView.as_view(), name="products-reprocess"),
    path("device/telemetry", DeviceDoor.as_view(kind="telemetry"), name="device-telemetry"),
    path("device/attributes", DeviceDoor.as_view(kind="attributes"), name="device-attributes"),
    path("device/status", DeviceDoor.as_view(kind="status"), name="device-status"),
    path("device/events/<str:name>", DeviceDoor.as_view(kind="events"), name="device-events"),
    path("device/ota", OtaDoor.as_view(kind="ota"), name="device-ota"),
    path("device/raw", DeviceDoor.as_view(kind="raw"), name="device-raw"),
    path("device/raw/<int:port>", PortDoor.as_view(kind="raw"), name="device-raw-port"),
    path("device/gateway/<path:kind_of_child>", DeviceDoor.as_view(kind="gateway"), name="device-gateway"),
    *router.urls,
]
