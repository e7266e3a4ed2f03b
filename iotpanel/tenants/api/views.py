"""Me, tenants, members and API keys."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from iotpanel.api.errors import Forbidden
from iotpanel.tenants import api_keys, members, tenants
from iotpanel.tenants.models import ApiKey, Membership, Role, Tenant
from iotpanel.tenants.permissions import role_of

from .access import person
from .base import Endpoint, TenantViewSet
from .principals import Service
from .serializers import ApiKeySerializer, MeAnswer, MemberSerializer, NewApiKey, TenantSerializer


class MeView(Endpoint):
    """Who I am, and the tenants that I may work in; for an API key, its own."""

    @extend_schema(responses=MeAnswer, operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        mine = [{"key": tenant.key, "name": tenant.name, "role": role} for tenant, role in self._roles(request)]
        return Response({"username": request.user.get_username(), "tenants": mine})

    @staticmethod
    def _roles(request: Request) -> list[tuple[Tenant, str]]:
        user: Any = request.user
        if isinstance(user, Service):
            return [(user.api_key.tenant, user.api_key.role)]
        if user.is_superuser:
            return [(tenant, Role.OWNER.value) for tenant in Tenant.objects.order_by("key")]
        found = Membership.objects.filter(user=user).select_related("tenant").order_by("tenant__key")
        return [(membership.tenant, membership.role) for membership in found]


@extend_schema_view(
    list=extend_schema(description="Superusers only."),
    create=extend_schema(description="Superusers only."),
    destroy=extend_schema(description="With everything in it. Superusers and the tenant's owners."),
)
class TenantsViewSet(Endpoint, GenericViewSet[Any]):
    """Tenants. Superusers make and rename them; members see their own; an owner may end it."""

    serializer_class = TenantSerializer
    queryset = Tenant.objects.all()
    lookup_field = "key"
    lookup_value_regex = TenantViewSet.lookup_value_regex

    def get_queryset(self) -> QuerySet[Tenant]:
        return Tenant.objects.for_user(person(self.request))

    def enter(self, request: Request) -> None:
        if isinstance(request.user, Service):
            raise Forbidden("permission_denied", _("API keys work inside their tenant."))
        if self.action in ("list", "create") and not request.user.is_superuser:
            raise _for_superusers()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        created = tenants.create_tenant(**self._given(request, partial=False))
        return Response(self.get_serializer(created).data, status=201)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def update(self, request: Request, partial: bool = False, **kwargs: Any) -> Response:
        found = self.get_object()
        if not request.user.is_superuser:
            raise _for_superusers()
        changed = tenants.update_tenant(found, **self._given(request, partial=partial))
        return Response(self.get_serializer(changed).data)

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        return self.update(request, partial=True, **kwargs)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        found = self.get_object()
        if role_of(person(request), found) != Role.OWNER:
            raise Forbidden("permission_denied", _("Only an owner may do this."))
        tenants.delete_tenant(found)
        return Response(status=204)

    def _given(self, request: Request, *, partial: bool) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class MembersViewSet(TenantViewSet):
    """People in the tenant and their roles. Admins see them, owners change them."""

    resource = "members"
    reads, writes = Role.ADMIN, Role.OWNER
    serializer_class = MemberSerializer
    queryset = Membership.objects.select_related("user")
    lookup_field = "username"
    lookup_value_regex = r"[\w.@+-]{1,150}"

    def get_object(self) -> Membership:
        found: Membership | None = self.get_queryset().filter(user__username=self.kwargs["username"]).first()
        if found is None:
            raise Http404
        return found

    def create_object(self, values: dict[str, Any]) -> tuple[Membership, dict[str, Any]]:
        return members.add_member(self.tenant, **values), {}

    def update_object(self, instance: Membership, values: dict[str, Any]) -> Membership:
        """Only the role: name, address and password belong to the person, who may be in other tenants too."""
        fixed = {"username": instance.user.username, "email": instance.user.email}
        wrong = [name for name, value in values.items() if name != "role" and fixed.get(name) != value]
        if wrong:
            raise ValidationError({name: _("This belongs to the person, and only they can change it.") for name in wrong})
        return members.update_member(instance, **{name: value for name, value in values.items() if name == "role"})

    def delete_object(self, instance: Membership) -> None:
        members.remove_member(instance)


@extend_schema_view(create=extend_schema(responses={201: NewApiKey}))
class ApiKeysViewSet(TenantViewSet):
    """Keys with which services call the API. `key` and `signing_secret` are shown once, on creation."""

    resource = "api-keys"
    reads = writes = Role.ADMIN
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.select_related("created_by", "tenant")
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"

    def create_object(self, values: dict[str, Any]) -> tuple[ApiKey, dict[str, Any]]:
        self._refuse_more_than_mine(values)
        api_key, key, signing_secret = api_keys.issue(self.tenant, created_by=self.person(), **values)
        return api_key, {"key": key, "signing_secret": signing_secret}

    def update_object(self, instance: ApiKey, values: dict[str, Any]) -> ApiKey:
        kept = {"role": instance.role, "scopes": instance.scopes}
        self._refuse_more_than_mine({**kept, **values})
        return api_keys.update_api_key(instance, changed_by=self.person(), **values)

    def delete_object(self, instance: ApiKey) -> None:
        api_keys.revoke(instance)

    def _refuse_more_than_mine(self, values: dict[str, Any]) -> None:
        """Nobody hands out more than they have: no role above, and from a narrowed key no wider one."""
        if not self.grant.role.allows(Role(values["role"])):
            raise ValidationError({"role": _("Nobody can give a role above their own.")})
        mine, wanted = set(self.grant.scopes), set(values.get("scopes") or ())
        if mine and (not wanted or not wanted <= mine):
            raise ValidationError({"scopes": _("Nobody can give scopes beyond their own.")})


def _for_superusers() -> Forbidden:
    return Forbidden("permission_denied", _("Only a system administrator may do this."))
