"""Jobs: tried, started, followed, steered."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.jobs import KINDS, verbs
from devices.models import Job, JobTarget
from iotpanel.api.errors import Forbidden
from iotpanel.api.pagination import CursorPagination
from iotpanel.api.schema import LISTING, page_of
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role

from .job_serializers import DryRun, DryRunQuery, JobQuery, JobSerializer, NewJob, TargetQuery, TargetSerializer


@extend_schema_view(list=extend_schema(parameters=[JobQuery]), retrieve=extend_schema(operation_id="jobs_one"))
class JobsViewSet(TenantViewSet):
    """One thing done to many devices, in waves, and stopped where too much of it fails."""

    resource = "jobs"
    writes = Role.OPERATOR
    http_method_names = ["get", "post", "head"]
    serializer_class = JobSerializer
    queryset = Job.objects.select_related("person")
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        query = self.query(JobQuery) if self.action == "list" else {}
        return found.filter(state=query["state"]) if "state" in query else found

    def get_object(self) -> Job:
        found: Job | None = self.get_queryset().filter(pk=int(self.kwargs["id"])).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(
        parameters=[DryRunQuery],
        request=NewJob,
        responses={201: JobSerializer, 200: OpenApiResponse(DryRun, "With `dry_run`.")},
        operation_id="jobs_start",
    )
    def create(self, request: Request) -> Response:
        """Starts a job for the devices that the target chooses now; `dry_run=1` only says what it would meet."""
        given = self.validated(NewJob, request.data)
        self._refuse_small_role(given["kind"])
        if self.query(DryRunQuery).get("dry_run", False):
            asked = {name: given[name] for name in ("kind", "spec", "target", "rollout") if name in given}
            return Response(DryRun(verbs.dry_run(self.tenant, **asked)).data)
        return Response(self.shown(verbs.start(self.tenant, person=self.person(), **given)), status=201)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Begins with no more devices; what is under way goes on."""
        return Response(self.shown(verbs.pause(self.get_object())))

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Goes on with a paused job, also after its canary."""
        return Response(self.shown(verbs.go_on(self.get_object())))

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def abort(self, request: Request, **kwargs: Any) -> Response:
        """Ends it; what devices have been told already cannot be taken back."""
        return Response(self.shown(verbs.abort(self.get_object())))

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Tries the devices again that failed or were cancelled."""
        found = self.get_object()
        self._refuse_small_role(found.kind)
        return Response(self.shown(verbs.retry(found)))

    def _refuse_small_role(self, kind: str) -> None:
        """Some kinds need more than an operator."""
        if kind in KINDS and not self.grant.allows(KINDS[kind].needs, "jobs:write"):
            raise Forbidden("permission_denied", _("Your role or key does not allow this."))

    @extend_schema(
        parameters=[TargetQuery, *LISTING], responses={200: page_of(TargetSerializer)}, operation_id="jobs_devices", filters=False
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def devices(self, request: Request, **kwargs: Any) -> Response:
        """Each device of the job, and how it went."""
        query = self.query(TargetQuery)
        rows = JobTarget.objects.for_tenant(self.tenant).with_steps().filter(job=self.get_object()).select_related("device")
        rows = rows.filter(state=query["state"]) if "state" in query else rows
        pages = CursorPagination()
        page: Any = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(TargetSerializer(page, many=True).data)
