"""A person's own account: name, language, time zone, shortcuts, password, second factor, API tokens, browsers told by push."""

from typing import TYPE_CHECKING, Any

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from knox.models import AuthToken

from iotpanel.tenants.models import User
from iotpanel.zones import ZONES

from . import browsers


def zones() -> list[tuple[str, str]]:
    """Every time zone by name, after the browser's own."""
    return [("", gettext("The browser’s")), *((name, name) for name in sorted(ZONES))]


if TYPE_CHECKING:
    UserForm = forms.ModelForm[User]
else:
    UserForm = forms.ModelForm


class ProfileForm(UserForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zones, required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "language", "time_zone", "single_key_shortcuts"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from_settings = [("en", "English"), ("zh-hans", "简体中文")]
        self.fields["language"].choices = [("", gettext("The browser’s")), *from_settings]  # type: ignore[attr-defined]


@login_required
def account(request: HttpRequest) -> HttpResponseBase:
    """Show and change the profile."""
    user = request.user
    assert isinstance(user, User)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        if user.language:
            translation.activate(user.language)
        messages.success(request, gettext("Account saved"))
        return redirect("account")
    tokens = AuthToken.objects.filter(user=user).order_by("-created")
    context = {"form": form, "second_factor": is_mfa_enabled(user), "tokens": tokens} | browsers.context(user)
    return render(request, "account/profile.html", context)


@require_POST
@login_required
def revoke_token(request: HttpRequest, token: str) -> HttpResponseBase:
    """End one of one's own API tokens, named by the first letters that the list shows; foreign ones are simply not found."""
    assert isinstance(request.user, User)
    AuthToken.objects.filter(user=request.user, token_key=token).delete()
    messages.success(request, gettext("Token revoked"))
    return redirect("account")
