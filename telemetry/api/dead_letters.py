"""Dead letters: seen, and replayed after a fix."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.exceptions import Unavailable as PartIsDown
from iotpanel.api.errors import Conflict, Unavailable
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from telemetry.models import DeadLetterRecord
from telemetry.uplink.adoption import adopt
from telemetry.uplink.replay import replay
from telemetry.uplink.replay_runs import replay_all

from .budget import LetterPagination
from .serializers import AdoptAnswer, AdoptRequest, DeadLetterListQuery, DeadLetterQuery, DeadLetterSerializer, ReplayAnswer

_FILTERS = {"product": "product__key", "reason": "reason", "since": "received_at__gte", "until": "received_at__lt"}


def letters_of(tenant: Any, user: Any) -> QuerySet[DeadLetterRecord]:
    """A tenant's dead letters; for superusers also those that nobody knows the tenant of."""
    mine = Q(tenant=tenant)
    return DeadLetterRecord.objects.filter(mine | Q(tenant=None) if user.is_superuser else mine)


def chosen(letters: QuerySet[DeadLetterRecord], query: dict[str, Any]) -> QuerySet[DeadLetterRecord]:
    """Those that fit all of a DeadLetterQuery."""
    for name, lookup in _FILTERS.items():
        if name in query:
            letters = letters.filter(**{lookup: query[name]})
    if "device" in query:
        letters = letters.filter(Q(key=query["device"]) | Q(device__key=query["device"]))
    return letters


@extend_schema_view(list=extend_schema(parameters=[DeadLetterListQuery]))
class DeadLettersViewSet(TenantViewSet):
    """Messages that could not be accepted, with their bytes and the reason. Those that a replay accepted are left out."""

    resource = "dead-letters"
    writes = Role.OPERATOR
    needs = {"adopt": Role.ADMIN}
    serializer_class = DeadLetterSerializer
    queryset = DeadLetterRecord.objects.all()
    lookup_field = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    http_method_names = ["get", "post", "head"]
    cursor_field = "received_at"
    pagination_class = LetterPagination

    def get_queryset(self) -> QuerySet[Any]:
        letters = letters_of(self.tenant, self.request.user).select_related("product")
        if self.action != "list":
            return letters
        query = self.query(DeadLetterListQuery)
        return chosen(letters.filter(replayed_at__isnull=not query.get("replayed", False)), query)

    @extend_schema(exclude=True)
    def create(self, request: Request) -> Response:
        return self.http_method_not_allowed(request)

    @extend_schema(request=None, responses=ReplayAnswer, operation_id="dead_letters_replay")
    @action(detail=True, methods=["post"], url_path="replay")
    def replay_one(self, request: Request, **kwargs: Any) -> Response:
        """Processes this one again, as of the time when it came."""
        letter = self.get_object()
        if letter.replayed_at is not None:
            raise Conflict("already_replayed", _("This one was accepted by a replay before."))
        return self._replay(DeadLetterRecord.objects.filter(pk=letter.pk))

    @extend_schema(request=AdoptRequest, responses=AdoptAnswer, operation_id="dead_letters_adopt")
    @action(detail=True, methods=["post"], url_path="adopt")
    def adopt(self, request: Request, **kwargs: Any) -> Response:
        """Makes the child that a gateway spoke for, or moves it below that gateway, and replays what waits for it."""
        given = self.validated(AdoptRequest, request.data or {})
        name, person = given.get("name", ""), self.person()
        device, done = adopt(self.get_object(), product=given.get("product"), name=name, adopted_by=person)
        return Response({"device": device.key} | done.as_dict())

    @extend_schema(request=DeadLetterQuery, responses=ReplayAnswer, operation_id="dead_letters_replay_many")
    @action(detail=False, methods=["post"], url_path="replay")
    def replay_many(self, request: Request) -> Response:
        """Processes all that the filter chooses, oldest first, each once; what takes longer than a moment in the background."""
        query = self.validated(DeadLetterQuery, request.data or {})
        some = chosen(letters_of(self.tenant, request.user), query)
        return Response(replay_all(some, tenant=self.tenant, started_by=self.person()).as_dict())

    @staticmethod
    def _replay(letters: QuerySet[DeadLetterRecord]) -> Response:
        try:
            replayed, failed = replay(letters)
        except PartIsDown as error:
            raise Unavailable(str(error)) from error
        return Response({"replayed": replayed, "failed": failed})
