"""A product's self-registration: its policy, its secret, its serial numbers and who waits for approval."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.enrolment import policies, serials
from devices.models import Serial
from iotpanel.api.json import JsonParser
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role

from .csv_files import CsvParser
from .enrolment_serializers import PolicySerializer, ProductSecret, SerialQuery, SerialSerializer, SerialsReport, SerialsRequest
from .of_product import OfProduct


class PolicyView(OfProduct):
    """Who may register, whether it has to be approved, and what the devices are called."""

    http_method_names = ["get", "patch", "head"]

    @extend_schema(responses=PolicySerializer, operation_id="products_registration")
    def get(self, request: Request, key: str) -> Response:
        return Response(PolicySerializer(policies.policy_of(self.product)).data)

    @extend_schema(request=PolicySerializer, responses=PolicySerializer, operation_id="products_registration_change")
    def patch(self, request: Request, key: str) -> Response:
        given = self.validated(PolicySerializer, request.data, partial=True)
        return Response(PolicySerializer(policies.set_policy(self.product, **given)).data)


class SecretView(OfProduct):
    """The secret that the product's devices share."""

    http_method_names = ["post"]

    @extend_schema(request=None, responses={201: ProductSecret}, operation_id="products_registration_secret")
    def post(self, request: Request, key: str) -> Response:
        """A new one, shown once; the one before ends at once."""
        secret = policies.new_product_secret(self.product)
        shown = {"product": f"{self.tenant.key}/{self.product.key}", "secret": secret}
        return Response(shown, status=201, headers={"Cache-Control": "no-store"})


class SerialsViewSet(OfProduct, TenantViewSet):
    """Serial numbers of a product: the list, what waits for approval, and what became of them."""

    serializer_class = SerialSerializer
    queryset = Serial.objects.select_related("device")
    parser_classes = [JsonParser, CsvParser]
    needs = {"approve": Role.OPERATOR, "deny": Role.OPERATOR}

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset().filter(product=self.product)
        if self.action != "list":
            return found
        query = self.query(SerialQuery)
        found = found.filter(state=query["state"]) if "state" in query else found
        return found.filter(serial__icontains=query["search"]) if query.get("search") else found

    def get_object(self) -> Serial:
        found: Serial | None = self.get_queryset().filter(serial=self.kwargs["serial"]).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(parameters=[SerialQuery], operation_id="products_serials")
    def list(self, request: Request, **kwargs: Any) -> Response:
        return super().list(request)

    @extend_schema(
        request={"application/json": SerialsRequest, "text/csv": OpenApiTypes.STR},
        responses={200: SerialsReport},
        operation_id="products_serials_add",
    )
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Puts serial numbers on the list, all or none: JSON, or a CSV file whose first column they are."""
        body: Any = request.data
        wanted = serials.read_csv(body) if isinstance(body, str) else self.validated(SerialsRequest, body)["serials"]
        return Response(serials.list_serials(self.product, wanted)._asdict())

    @extend_schema(responses={204: None}, operation_id="products_serials_remove")
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Takes it off the list. A device that it has become stays."""
        serials.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=SerialSerializer, operation_id="products_serials_approve")
    def approve(self, request: Request, **kwargs: Any) -> Response:
        """Lets it in: its device gets its credentials when it asks again."""
        return Response(self.shown(serials.approve(self.get_object())))

    @extend_schema(request=None, responses=SerialSerializer, operation_id="products_serials_deny")
    def deny(self, request: Request, **kwargs: Any) -> Response:
        """Refuses it whenever it asks."""
        return Response(self.shown(serials.deny(self.get_object())))

    @extend_schema(request=None, responses=SerialSerializer, operation_id="products_serials_again")
    def again(self, request: Request, **kwargs: Any) -> Response:
        """After a factory reset: the device may fetch new credentials once."""
        return Response(self.shown(serials.let_in_again(self.get_object())))
