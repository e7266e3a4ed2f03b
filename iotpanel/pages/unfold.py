"""What the admin takes from the pages: the same files, mark and tenant."""

from django.http import HttpRequest
from django.templatetags.static import static

from iotpanel.tenants.web import current_tenant


def subheader(request: HttpRequest) -> str:
    """The tenant's name under the product's."""
    found = current_tenant(request)
    return found[0].name if found else ""


def icon(request: HttpRequest) -> str:
    return static("iotpanel/icons/mark.svg")


def tokens(request: HttpRequest) -> str:
    return static("iotpanel/css/tokens.css")


def marks(request: HttpRequest) -> str:
    return static("iotpanel/css/marks.css")


def admin(request: HttpRequest) -> str:
    return static("iotpanel/css/admin.css")


def forms(request: HttpRequest) -> str:
    return static("iotpanel/css/admin-forms.css")
