"""A person's hold on a target: what comes for it goes on being promised and waits, until it is let go."""

from django.utils import timezone

from rules.models import Target


def hold(target: Target) -> Target:
    """Deliver nothing from now on; a batch that is on its way is finished. Holding again changes nothing."""
    Target.objects.filter(pk=target.pk, held_at=None).update(held_at=timezone.now())
    return Target.objects.get(pk=target.pk)


def let_go(target: Target) -> Target:
    """Deliver again, at once, also where it was left alone because it was down."""
    Target.objects.filter(pk=target.pk).update(held_at=None, paused_until=None)
    return Target.objects.get(pk=target.pk)
