"""Configuration as code over REST: the document out, what another would change, and making it so."""

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.errors import Unprocessable
from iotpanel.tenants.configuration import applying, document
from iotpanel.tenants.configuration.plan import export

from .base import TenantEndpoint

YAML = "application/yaml"


class DocumentParser(BaseParser):
    """A body of application/yaml; JSON is YAML too."""

    media_type = YAML

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return document.read(stream.read(document.MAX_BYTES + 1))


class JsonDocumentParser(DocumentParser):
    media_type = "application/json"


class PlanQuery(serializers.Serializer[Any]):
    prune = serializers.BooleanField(required=False, help_text="Whether what the document's sections do not hold is deleted.")


class FieldSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(allow_blank=True)
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ChangeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    slug = serializers.CharField()
    action = serializers.ChoiceField(["create", "update", "delete"])
    fields = FieldSerializer(many=True)  # type: ignore[assignment]


class ProblemSerializer(serializers.Serializer[Any]):
    where = serializers.CharField(help_text="Such as products/climate/codec.script.")
    message = serializers.CharField()


class PlanSerializer(serializers.Serializer[Any]):
    changes = ChangeSerializer(many=True)
    problems = ProblemSerializer(many=True)
    text = serializers.CharField(help_text="The same for people.")


class ConfigView(TenantEndpoint):
    """The tenant's configuration as YAML, without secrets; the same state gives the same text."""

    resource = "config"
    http_method_names = ["get", "head"]

    @extend_schema(responses={(200, YAML): OpenApiResponse({"type": "object", "additionalProperties": True})}, operation_id="config_export")
    def get(self, request: Request) -> HttpResponse:
        text = document.write(export(self.tenant))
        return HttpResponse(text, content_type=f"{YAML}; charset=utf-8", headers={"Content-Disposition": 'inline; filename="config.yaml"'})


class _DocumentView(TenantEndpoint):
    resource = "config"
    http_method_names = ["post"]
    parser_classes = [DocumentParser, JsonDocumentParser]

    def given(self, request: Request) -> tuple[document.Document, bool]:
        """The document, and whether to prune."""
        body: Any = request.data  # an empty body was not parsed
        if not int(request.headers.get("content-length") or 0):
            body = document.read(b"")
        return body, self.query(PlanQuery).get("prune", False)


class ConfigPlanView(_DocumentView):
    """What a document would change, and what stands against it. Changes nothing."""

    @extend_schema(parameters=[PlanQuery], request={YAML: OpenApiTypes.STR}, responses=PlanSerializer, operation_id="config_plan")
    def post(self, request: Request) -> Response:
        given, prune = self.given(request)
        return Response(applying.plan(self.tenant, given, prune=prune).as_dict())


class ConfigApplyView(_DocumentView):
    """Makes the tenant as the document says, all of it or nothing: 422 `not_applied` with the plan where anything stands against it."""

    @extend_schema(parameters=[PlanQuery], request={YAML: OpenApiTypes.STR}, responses=PlanSerializer, operation_id="config_apply")
    def post(self, request: Request) -> Response:
        given, prune = self.given(request)
        try:
            return Response(applying.apply(self.tenant, given, prune=prune).as_dict())
        except applying.NotApplied as refused:
            raise Unprocessable("not_applied", _("Nothing was changed: see the problems."), refused.plan.as_dict()) from refused
