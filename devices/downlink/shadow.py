"""Shadows: read, patched, reported, sent. Versions count every change of any part, so whoever patches can tell that
somebody else was quicker; the steps are kept, so the past can be shown.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from devices.exceptions import Invalid
from devices.messages import ShadowChange
from devices.models import Device, Shadow, ShadowStep
from devices.presence import tell_sinks
from devices.thing_model import check_free
from devices.timestamps import to_microseconds
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import User

from . import wake
from .merge import State, check_depth, difference, merged, same
from .refusals import refuse

MAX_BYTES = 256 * 1024  # of one part
SNAPSHOT = 50  # steps between two that keep the whole state
PARTS = ("desired", "reported", "shared")
MAX_HOPS = 8  # as commands have it


class View(NamedTuple):
    """A shadow as it is or was."""

    desired: State
    reported: State
    delta: State
    shared: State
    version: int
    at: datetime | None


def read(device: Device, at: datetime | None = None) -> View:
    """The device's shadow now, or as it was then."""
    if at is not None:
        return _past(device, at)
    found = Shadow.objects.filter(device=device).first() or Shadow(device=device)
    return View(found.desired, found.reported, found.delta, found.shared, found.version, found.changed_at)


@transaction.atomic
def patch_desired(device: Device, patch: Any, *, version: int | None = None, person: User | None = None, hops: int = 0) -> View:
    """Merge a patch into the desired state; null removes. What differs from the reported state is sent to the device.

    `hops` counts the rules that led to it. Raises ApiError: bad_shape, bad_value, too_deep, too_large, too_many_hops;
    Conflict `stale_version` where `version` is not the newest.
    """
    with bound_contextvars(device=device.key):
        return _patch_desired(device, patch, version, person, hops)


def _patch_desired(device: Device, patch: Any, version: int | None, person: User | None, hops: int) -> View:
    _check(patch, "desired")
    if hops > MAX_HOPS:
        raise refuse("too_many_hops", _("Rules have commanded each other %(limit)d times.") % {"limit": MAX_HOPS}, "hops")
    shadow = locked([device.pk])[device.pk]
    if version is not None and version != shadow.version:
        raise Conflict("stale_version", _("The shadow has changed meanwhile."), {"version": shadow.version})
    if _step(shadow, "desired", patch, timezone.now(), person, hops):
        if shadow.delta:
            shadow.wanted = shadow.wanted or Shadow.Wanted.DELTA
        _save([shadow])
    return read(device)


@transaction.atomic
def patch_many(device_ids: Iterable[int], patch: State, *, person: User | None = None) -> dict[int, Shadow | Invalid]:
    """The same patch for many devices, and word to each of what it lacks, also where it was told before.

    By device: its shadow, or why it cannot be so (`too_large`). The patch is one that `check_patch` takes.
    """
    now, found = timezone.now(), locked(device_ids)
    steps: list[ShadowStep] = []
    told: list[tuple[Shadow, str, State]] = []
    outcomes: dict[int, Shadow | Invalid] = dict(found)
    for pk, shadow in found.items():
        try:
            changed = apply_patch(shadow, "desired", patch, now)
        except Invalid as error:
            outcomes[pk] = error
            continue
        if changed:
            steps.append(step_of(shadow, "desired", patch, now, person))
            told.append((shadow, "desired", patch))
        if shadow.delta:
            shadow.wanted = shadow.wanted or Shadow.Wanted.DELTA
    Shadow.objects.bulk_update(found.values(), ["desired", "delta", "version", "wanted", "changed_at"], batch_size=500)
    ShadowStep.objects.bulk_create(steps, batch_size=500)
    if told:
        tell(told, now)
    wake.look_at({pk for pk, shadow in found.items() if shadow.wanted})
    return outcomes


@transaction.atomic
def share(device: Device, values: Mapping[str, Any]) -> None:
    """Attributes that the server shares with the device; None takes one back. The device is told."""
    shadow = locked([device.pk])[device.pk]
    if _step(shadow, "shared", dict(values), timezone.now(), None):
        shadow.wanted = Shadow.Wanted.WHOLE
        _save([shadow])


def locked(device_ids: Iterable[int]) -> dict[int, Shadow]:
    """The shadows of these devices, made where there are none, locked in the order of ids."""
    ids = sorted(set(device_ids))
    query = Shadow.objects.select_for_update().order_by("device_id")
    found = {shadow.device_id: shadow for shadow in query.filter(device_id__in=ids)}
    if missing := [pk for pk in ids if pk not in found]:
        Shadow.objects.bulk_create([Shadow(device_id=pk) for pk in missing], ignore_conflicts=True)
        found |= {shadow.device_id: shadow for shadow in query.filter(device_id__in=missing)}
    return found


def _check(patch: Any, field: str) -> None:
    try:
        check_patch(patch)
    except Invalid as error:
        raise refuse(error.code, error.detail, field) from error


def check_patch(patch: Any) -> None:
    """Raises Invalid: bad_shape, bad_value, too_deep, too_large."""
    if not isinstance(patch, dict):
        raise Invalid("bad_shape", "a shadow's part is an object")
    check_depth(patch)
    check_free("shadow", patch)
    if len(orjson.dumps(patch)) > MAX_BYTES:
        raise Invalid("too_large", f"a shadow's part has at most {MAX_BYTES} bytes")


def apply_patch(shadow: Shadow, part: str, patch: State, now: datetime) -> bool:
    """Merge into one part, in memory; whether that changed anything. Raises Invalid("too_large")."""
    before: State = getattr(shadow, part)
    after = merged(before, patch)
    if same(before, after):
        return False
    if len(orjson.dumps(after)) > MAX_BYTES:
        raise Invalid("too_large", f"a shadow's part has at most {MAX_BYTES} bytes")
    setattr(shadow, part, after)
    shadow.delta = difference(shadow.desired, shadow.reported)
    shadow.version += 1
    shadow.changed_at = now
    return True


def step_of(shadow: Shadow, part: str, patch: State, now: datetime, person: User | None = None) -> ShadowStep:
    """The step that `apply_patch` was."""
    whole = {each: getattr(shadow, each) for each in PARTS} if shadow.version % SNAPSHOT == 1 else None
    return ShadowStep(device_id=shadow.device_id, version=shadow.version, at=now, part=part, patch=patch, whole=whole, person=person)


def _step(shadow: Shadow, part: str, patch: State, now: datetime, person: User | None, hops: int = 0) -> bool:
    try:
        changed = apply_patch(shadow, part, patch, now)
    except Invalid as error:
        raise refuse(error.code, error.detail, part) from error
    if changed:
        step_of(shadow, part, patch, now, person).save(force_insert=True)
        tell([(shadow, part, patch)], now, hops)
    return changed


def _save(shadows: Iterable[Shadow]) -> None:
    for shadow in shadows:
        shadow.save(update_fields=["desired", "reported", "shared", "delta", "version", "answered", "wanted", "changed_at"])


def tell(changed: list[tuple[Shadow, str, State]], now: datetime, hops: int = 0) -> None:
    """Tell the dispatcher and the sinks, in the writer's transaction."""
    ids = [shadow.device_id for shadow, _, _ in changed]
    wake.look_at(set(ids))
    who = {pk: (tenant_id, key) for pk, tenant_id, key in Device.objects.filter(pk__in=ids).values_list("pk", "tenant_id", "key")}
    changes = [
        ShadowChange(shadow.device_id, *who[shadow.device_id], part, patch, shadow.delta, shadow.version, to_microseconds(now), hops)
        for shadow, part, patch in changed
        if shadow.device_id in who
    ]
    tell_sinks(changes)


def _past(device: Device, at: datetime) -> View:
    """From the last step that kept the whole state, through those behind it."""
    steps = ShadowStep.objects.filter(device=device, at__lte=at)
    start = steps.exclude(whole=None).order_by("-version").first()
    state: dict[str, State] = {part: dict(start.whole.get(part, {})) if start else {} for part in PARTS}
    version, changed_at = (start.version, start.at) if start else (0, None)
    for step in steps.filter(version__gt=version).order_by("version"):
        state[step.part] = merged(state[step.part], step.patch)
        version, changed_at = step.version, step.at
    delta = difference(state["desired"], state["reported"])
    return View(state["desired"], state["reported"], delta, state["shared"], version, changed_at)
