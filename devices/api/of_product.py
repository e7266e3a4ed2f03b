"""What endpoints below a product share: the product of the address, or 404."""

from django.http import Http404
from rest_framework.request import Request

from devices.models import Product
from iotpanel.tenants.api.base import TenantEndpoint


class OfProduct(TenantEndpoint):
    """An endpoint below one product (`self.product`)."""

    resource = "products"
    product: Product

    def enter(self, request: Request) -> None:
        super().enter(request)
        found = Product.objects.for_tenant(self.tenant).filter(key=self.kwargs["key"]).first()
        if found is None:
            raise Http404
        self.product = found
