"""The root that devices have to trust: public, because a device has no other way to know our broker."""

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe


def has_own_root() -> bool:
    """Whether the broker's certificate is signed by a root of our own, which nobody knows yet."""
    return bool((settings.TLS_DIR / "ca.pem").is_file())


@require_safe
def root_certificate(request: HttpRequest) -> HttpResponseBase:
    """`/ca.pem`, for `mosquitto_pub --cafile ca.pem` and for boards."""
    if not has_own_root():
        raise Http404(_("This platform has no root of its own."))
    return FileResponse(
        (settings.TLS_DIR / "ca.pem").open("rb"), content_type="application/x-pem-file", filename="ca.pem", as_attachment=True
    )
