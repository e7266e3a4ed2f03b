"""The addresses of what exists, below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from iotpanel.tenants.keys import KEY_PATTERN

from .certificates import CertificatesView, CertificateView
from .claims import BulkView, ClaimCodeView, ClaimsView
from .commands import CommandsView, CommandView
from .firmware import FirmwareViewSet, ImageDoor
from .jobs import JobsViewSet
from .register import RegisterDoor
from .registration import PolicyView, SecretView, SerialsViewSet
from .shadow import ShadowHistoryView, ShadowView
from .views import DevicesViewSet, GroupsViewSet, ProductsViewSet

router = SimpleRouter()
router.register("products", ProductsViewSet, "products")
router.register("devices", DevicesViewSet, "devices")
router.register("groups", GroupsViewSet, "groups")
router.register("firmware", FirmwareViewSet, "firmware")
router.register("jobs", JobsViewSet, "jobs")
PRODUCT, SERIAL = rf"^products/(?P<key>{KEY_PATTERN})/", r"serials/(?P<serial>[A-Za-z0-9_.:-]{1,64})/"

DEVICE = rf"^devices/(?P<key>{KEY_PATTERN})/"

urlpatterns = [
    re_path(rf"{DEVICE}commands/$", CommandsView.as_view(), name="commands"),
    re_path(rf"{DEVICE}commands/(?P<id>[0-9]{{1,19}})/$", CommandView.as_view(), name="command"),
    path("device/register", RegisterDoor.as_view(), name="device-register"),
    path("device/firmware/<str:token>", ImageDoor.as_view(), name="device-firmware"),
    path("devices/bulk/", BulkView.as_view(), name="devices-bulk"),
    re_path(rf"{DEVICE}certificates/$", CertificatesView.as_view(), name="devices-certificates"),
    re_path(rf"{DEVICE}certificates/(?P<serial>[0-9A-Fa-f]{{1,40}})/$", CertificateView.as_view(), name="devices-certificate"),
    re_path(rf"{DEVICE}claim-code/$", ClaimCodeView.as_view(), name="devices-claim-code"),
    path("claims/", ClaimsView.as_view(), name="claims"),
    re_path(rf"{PRODUCT}registration/$", PolicyView.as_view(), name="products-registration"),
    re_path(rf"{PRODUCT}registration/secret/$", SecretView.as_view(), name="products-registration-secret"),
    re_path(rf"{PRODUCT}serials/$", SerialsViewSet.as_view({"get": "list", "post": "create"}), name="products-serials"),
    re_path(rf"{PRODUCT}{SERIAL}$", SerialsViewSet.as_view({"delete": "destroy"}), name="products-serial"),
    *[
        re_path(rf"{PRODUCT}{SERIAL}{verb}/$", SerialsViewSet.as_view({"post": verb}), name=f"products-serial-{verb}")
        for verb in ("approve", "deny", "again")
    ],
    re_path(rf"{DEVICE}shadow/$", ShadowView.as_view(), name="shadow"),
    re_path(rf"{DEVICE}shadow/history/$", ShadowHistoryView.as_view(), name="shadow-history"),
    *router.urls,
]
