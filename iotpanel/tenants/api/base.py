"""The base of every endpoint: who asks, how often, in which tenant, with what right. In this order, each once."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import APIException, AuthenticationFailed, MethodNotAllowed, NotAuthenticated, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from iotpanel.api.errors import Forbidden
from iotpanel.api.throttling import count_address, count_user
from iotpanel.tenants.models import Role, Tenant, User

from .access import resolve
from .principals import Grant

READS = ("GET", "HEAD")


class Endpoint(APIView):
    """An endpoint for somebody who is signed in, in no tenant."""

    public = False
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self._identify(request)
        if request.method and request.method.lower() not in self.allowed_verbs():
            raise MethodNotAllowed(request.method)
        refuse_nul(request)
        self.enter(request)

    def enter(self, request: Request) -> None:
        """What must be true before the method runs; raises what it is not."""

    def allowed_verbs(self) -> list[str]:
        return [verb.lower() for verb in self.allowed_methods]

    def _identify(self, request: Request) -> None:
        """Finds out who asks, and counts the request; a wrong token counts for the address."""
        try:
            known = request.user is not None and request.user.is_authenticated
        except APIException as error:
            if isinstance(error, AuthenticationFailed):
                count_address(request)
            raise
        if known:
            count_user(request)
        else:
            count_address(request)
            if not self.public:
                raise NotAuthenticated()


class TenantEndpoint(Endpoint):
    """An endpoint in one tenant (`self.tenant`). `resource` names its scopes.

    A method needs `reads` where it only reads, else `writes`; `needs` overrides both by action or method name.
    """

    resource = ""
    reads: Role = Role.VIEWER
    writes: Role = Role.ADMIN
    needs: dict[str, Role] = {}

    tenant: Tenant
    grant: Grant

    def enter(self, request: Request) -> None:
        self.tenant, self.grant = resolve(request)
        verb = "read" if request.method in READS else "write"
        if not self.grant.allows(self.role_needed(request), f"{self.resource}:{verb}"):
            raise Forbidden("permission_denied", _("Your role or key does not allow this."))

    def role_needed(self, request: Request) -> Role:
        name = getattr(self, "action", None) or str(request.method).lower()
        return self.needs.get(name, self.reads if request.method in READS else self.writes)

    def person(self) -> User | None:
        """Who asks, if it is a person and no service."""
        return self.request.user if isinstance(self.request.user, User) else None

    def validated(self, serializer: type[serializers.Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
        """What the serializer makes of the data; raises ValidationError by field."""
        checked = serializer(data=data, partial=partial, context={"tenant": self.tenant, "view": self})
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def query(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The query's parameters as the serializer reads them; only its lists may be given more than once."""
        given = self.request.query_params
        lists = {name for name, field in serializer().fields.items() if isinstance(field, serializers.ListField)}
        return self.validated(serializer, {name: given.getlist(name) if name in lists else given[name] for name in given})


class TenantViewSet(TenantEndpoint, viewsets.GenericViewSet[Any]):
    """List, retrieve, create, update and delete one kind of object of a tenant.

    Subclasses name the verbs that write: `create_object`, `update_object`, `delete_object`.
    """

    lookup_field = "key"
    lookup_value_regex = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

    field_names: dict[str, str] = {}  # a verb's argument -> what the wire calls it

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, DjangoValidationError) and hasattr(exc, "error_dict"):
            exc = DjangoValidationError({self.field_names.get(name, name): errors for name, errors in exc.error_dict.items()})
        return super().handle_exception(exc)

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().for_tenant(self.tenant)  # type: ignore[attr-defined]

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "tenant": getattr(self, "tenant", None)}

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.shown(self.get_object()))

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        created, secrets = self.create_object(serializer.validated_data)
        return Response({**self.shown(created), **secrets}, status=status.HTTP_201_CREATED)

    def update(self, request: Request, partial: bool = False, **kwargs: Any) -> Response:
        found = self.get_object()
        serializer = self.get_serializer(found, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        changed = self.update_object(found, self.whole(serializer, partial))
        return Response(self.shown(changed))

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        return self.update(request, partial=True, **kwargs)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        self.delete_object(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def shown(self, instance: Model) -> dict[str, Any]:
        return dict(self.get_serializer(instance).data)

    @staticmethod
    def whole(serializer: serializers.BaseSerializer[Any], partial: bool) -> dict[str, Any]:
        """PUT is whole: what may be left out and was goes back to its `when_absent` (a serializer's own table)."""
        absent = {} if partial else getattr(serializer, "when_absent", {})
        return {**absent, **serializer.validated_data}

    def create_object(self, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The new object, and what is shown of it only now."""
        raise MethodNotAllowed(str(self.request.method))

    def update_object(self, instance: Any, values: dict[str, Any]) -> Any:
        raise MethodNotAllowed(str(self.request.method))

    def delete_object(self, instance: Any) -> None:
        raise MethodNotAllowed(str(self.request.method))


def refuse_nul(request: Request) -> None:
    """PostgreSQL takes no U+0000 in a text: a search for one is a mistake, not a fault of ours."""
    if any("\0" in value for values in request.query_params.lists() for value in (values[0], *values[1])):
        raise ParseError(_("Text may not hold the character U+0000."))
