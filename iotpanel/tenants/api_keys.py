"""API keys: issued, found, revoked. Key and signing secret are shown once; kept are a digest and an encrypted copy."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .encryption import decrypt, encrypt
from .models import ApiKey, Role, Tenant, User
from .permissions import may
from .validation import Problems, clean_choice, clean_text, refuse_unknown

SCOPE = re.compile(r"[a-z][a-z-]{0,31}:(read|write)\Z")
PREFIX = re.compile(r"iot_[0-9a-f]{10}\Z")
MAX_SCOPES = 64
_PURPOSE = "api-key-signing"


@transaction.atomic
def issue(
    tenant: Tenant,
    *,
    name: str,
    role: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> tuple[ApiKey, str, str]:
    """A new API key, the key itself and its signing secret; nobody can show these two again.

    `scopes` are `<resource>:read` or `:write`, none meaning all that the role may. `created_by` can't give a
    role above their own. Raises ValidationError by field.
    """
    api_key = ApiKey(tenant=tenant, created_by=created_by)
    _apply(api_key, {"name": name, "role": role, "scopes": scopes or [], "expires_at": expires_at})
    if created_by is not None and not may(created_by, tenant, Role(api_key.role)):
        raise ValidationError({"role": _("Nobody can give a role above their own.")})
    api_key.prefix = f"iot_{secrets.token_hex(5)}"
    key, signing_secret = f"{api_key.prefix}_{secrets.token_urlsafe(32)}", secrets.token_urlsafe(32)
    api_key.digest = _digest(key)
    api_key.signing_secret = encrypt(signing_secret, purpose=_PURPOSE)
    api_key.save()
    return api_key, key, signing_secret


@transaction.atomic
def update_api_key(api_key: ApiKey, *, changed_by: User | None = None, **changes: Any) -> ApiKey:
    """Changes `name`, `role`, `scopes`, `expires_at`. Raises ValidationError by field."""
    _apply(api_key, changes)
    if changed_by is not None and not may(changed_by, api_key.tenant, Role(api_key.role)):
        raise ValidationError({"role": _("Nobody can give a role above their own.")})
    api_key.save(update_fields=list(changes))
    return api_key


@transaction.atomic
def revoke(api_key: ApiKey) -> None:
    """Refused from now on."""
    api_key.delete()


def find(key: str) -> ApiKey | None:
    """The API key of this text with its tenant, if it is in force. Found by digest, so timing tells nothing of the key."""
    found = ApiKey.objects.select_related("tenant").filter(digest=_digest(key)).first()
    return None if found is None or found.expired else found


def find_by_prefix(prefix: str) -> ApiKey | None:
    """The API key in force whose beginning is `prefix`: signed requests name it by this, not by the key."""
    found = ApiKey.objects.select_related("tenant").filter(prefix=prefix if PREFIX.match(prefix) else "").first()
    return None if found is None or found.expired else found


def signing_secret(api_key: ApiKey) -> str:
    """What its requests are signed with; raises ValueError where SECRET_KEY has changed since."""
    return decrypt(bytes(api_key.signing_secret or b""), purpose=_PURPOSE)


def clean_scopes(value: Any) -> list[str]:
    """Sorted and without doubles; raises ValidationError."""
    if not isinstance(value, list) or len(value) > MAX_SCOPES:
        raise ValidationError(_("This must be a list of scopes."), code="bad_type")
    if wrong := [scope for scope in value if not isinstance(scope, str) or not SCOPE.match(scope)]:
        raise ValidationError(
            _("“%(scope)s” is no scope: write <resource>:read or <resource>:write."), params={"scope": str(wrong[0])[:60]}
        )
    return sorted(set(value))


def _clean_expiry(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or timezone.is_naive(value):
        raise ValidationError(_("This must be a time with zone."), code="bad_type")
    if value <= timezone.now():
        raise ValidationError(_("This lies in the past."), code="out_of_range")
    return value


_CLEAN = {"name": clean_text, "role": lambda value: clean_choice(value, Role), "scopes": clean_scopes, "expires_at": _clean_expiry}


def _apply(api_key: ApiKey, changes: dict[str, Any]) -> None:
    refuse_unknown(changes, _CLEAN)
    problems = Problems()
    for field, value in changes.items():
        with problems.of(field):
            setattr(api_key, field, _CLEAN[field](value))
    problems.raise_any()


def _digest(key: str) -> str:
    """Plain SHA-256 is enough: a key holds 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
