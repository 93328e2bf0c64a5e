"""What concerns the reader: their profile, and what the hub measures."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people import actions, queries
from hub.people.forms import ProfileForm
from hub.people.models import User


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: Request) -> HttpResponse:
    """Show the reader's own name, language, theme and teams, and keep what they change."""
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    if request.method == "POST" and form.is_valid():
        person = User.objects.get(pk=request.user.pk)
        actions.change_own_profile(person=person, **form.cleaned_data)
        with translation.override(person.language or translation.get_language()):
            say(request, _("Your profile was saved."))
        return redirect("people:profile")
    memberships = [held for held in queries.memberships_of(request.user) if held.is_now(timezone.localdate())]
    context = {"form": form, "memberships": memberships}
    return render_page(request, "people/profile.html", context, status=422 if form.errors else 200)


@require_safe
def privacy(request: Request) -> HttpResponse:
    """Say in plain words what the hub measures, why, who sees it, and what it never does."""
    return render_page(request, "people/privacy.html", {})
