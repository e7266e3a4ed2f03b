"""The first tenant and the first person, so that somebody can sign in after the first start."""

import os
import secrets
import string
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from iotpanel.tenants.models import Membership, Role, Tenant, User

ALPHABET = string.ascii_lowercase + string.digits


class Command(BaseCommand):
    help = "Makes tenant `default` and its owner `admin`, a superuser, where they are missing; IOTPANEL_ADMIN_PASSWORD sets the password."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        tenant, _ = Tenant.objects.get_or_create(key="default", defaults={"name": "Default"})
        admin, created = User.objects.get_or_create(username="admin", defaults={"is_superuser": True, "is_staff": True})
        given = os.environ.get("IOTPANEL_ADMIN_PASSWORD", "")
        if created:
            Membership.objects.get_or_create(user=admin, tenant=tenant, defaults={"role": Role.OWNER})
        if created or (given and not admin.check_password(given)):
            admin.set_password(_password(given))
            admin.save(update_fields=["password"])
        self.stdout.write("admin made" if created else "admin is there")


def _password(given: str) -> str:
    """The one that the environment gives, else the one in the home's file, else a new one; the file holds it afterwards."""
    path = Path(settings.IOTPANEL_HOME) / "admin-password"
    kept = path.read_text().strip() if path.exists() else ""
    password = given or kept or "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return password
