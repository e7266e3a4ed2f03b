"""What forwarders and channels have in common as rows: secrets, the target that shows how they do, and their end."""

from typing import Any

from rules import adapter_settings
from rules.delivery import queue
from rules.models import Channel, Forwarder, Target
from rules.outside.errors import Down

Adapted = Forwarder | Channel


def target_of(instance: Adapted, kind: str) -> Target:
    """How it does."""
    found: Target = Target.objects.get_or_create(tenant_id=instance.tenant_id, kind=kind, target=instance.pk)[0]
    return found


def try_at_once(instance: Adapted, kind: str) -> None:
    """Who changes something wants to see what comes of it."""
    Target.objects.filter(tenant_id=instance.tenant_id, kind=kind, target=instance.pk).update(paused_until=None)


def secrets_of(instance: Adapted, kind: str) -> list[str]:
    """The names of the secrets that are set; their values are shown nowhere."""
    try:
        return sorted(adapter_settings.unseal(instance.sealed, purpose=kind))
    except Down:
        return []


def apply_settings(instance: Adapted, kind: str, schema: dict[str, Any], given: Any, names: set[str]) -> None:
    """Raises ValidationError with `settings.<name>`."""
    try:
        secrets = adapter_settings.unseal(instance.sealed, purpose=kind)
    except Down:  # they can't be read any more, so they are entered anew
        secrets = {}
    shown, hidden = adapter_settings.clean(schema, given, shown=instance.settings, secrets=secrets, names=names)
    instance.settings, instance.sealed = shown, adapter_settings.seal(hidden, purpose=kind)


def delete(instance: Adapted, kind: str) -> None:
    """With what waits for it."""
    target = target_of(instance, kind)
    queue.of(target).delete()
    target.delete()
    instance.delete()
