"""What the OpenAPI document says beyond the serializers: errors, the tenant's header, how to sign in."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

ERRORS = {
    "400": "The request is wrong; `details` names the fields.",
    "401": "Nobody is signed in, or with something that is not valid.",
    "403": "Not yours to do.",
    "404": "There is no such thing, or it is not yours.",
    "409": "What exists stands against it.",
    "413": "Too many bytes.",
    "415": "Bodies are JSON.",
    "422": "Understood, and refused for what it says.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "503": "Something is down for now; `Retry-After` says how many seconds to wait.",
}
TENANT_HEADER = OpenApiParameter(
    "X-Tenant", str, OpenApiParameter.HEADER, description="The tenant's key, for who works in several.", required=False
)


LISTING = [
    OpenApiParameter("cursor", str, description="What `next` held in the page before."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
    OpenApiParameter("order", str, enum=["at", "-at"], description="`at`: the oldest first."),
]


def page_of(serializer: type[serializers.Serializer[Any]]) -> Any:
    """The answer of a list that goes by cursor without a queryset."""
    fields = {"results": serializer(many=True), "next": serializers.CharField(allow_null=True, help_text="The next page's cursor.")}
    return inline_serializer(f"{serializer.__name__.removesuffix('Serializer')}Page", fields)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one shape of an error."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.JSONField(allow_null=True)


class EndpointSchema(AutoSchema):
    """Adds to each operation its errors, and the header where the endpoint works in a tenant."""

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        return [*found, TENANT_HEADER] if hasattr(self.view, "resource") else found

    def get_tags(self) -> list[str]:
        steps = [step for step in self.path.split("/") if step and not step.startswith("{")]
        return [steps[2] if len(steps) > 2 else steps[-1]]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        answers = super()._get_response_bodies(direction)
        reference = self.resolve_serializer(ErrorSerializer(), "response").ref
        for status, description in ERRORS.items():
            content = {"application/json": {"schema": reference}}
            answers.setdefault(status, {"description": description, "content": content})
        return answers


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "iotpanel.tenants.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A user token (from `/api/v1/auth/token/`) or an API key."}


class SignedScheme(OpenApiAuthenticationExtension):
    target_class = "iotpanel.tenants.api.authentication.SignedAuthentication"
    name = "signature"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        form = "`HMAC id=<beginning of the API key>, ts=<ms>, nonce=<once>, sig=<hex>`; docs/api.md says what is signed."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": form}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "iotpanel.tenants.api.authentication.CsrfSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        form = "A signed-in browser; what writes needs the header X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "iotpanel_session", "description": form}
