"""What other packages put into the admin: useful parts in our style for superusers, the rest left out."""

from typing import Any

import django_celery_beat.admin  # noqa: F401 - these register first, so that ours can take their place
import knox.admin  # noqa: F401 - as above
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from knox.models import AuthToken
from unfold.admin import ModelAdmin

# Kept elsewhere (addresses on the person, roles in memberships), of no use here, or secrets that nobody should browse.
HIDDEN: tuple[type[Model], ...] = (
    Group,
    EmailAddress,
    SocialToken,
    Authenticator,
    SolarSchedule,
    ClockedSchedule,
    AuthToken,
    AccessFailureLog,
)
SHOWN: tuple[type[Model], ...] = (AccessAttempt, AccessLog, CrontabSchedule, IntervalSchedule, PeriodicTask, SocialAccount, SocialApp)


def _in_our_style(model: type[Model]) -> None:
    """The package's own admin class, with Unfold's in front of Django's."""
    theirs: Any = type(admin.site._registry[model])
    admin.site.unregister(model)
    admin.site.register(model, type(theirs.__name__, (theirs, ModelAdmin), {"list_fullwidth": True}))


for _model in HIDDEN:
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
for _model in SHOWN:
    if admin.site.is_registered(_model):
        _in_our_style(_model)
