"""Pages for what went wrong, in words that say what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from hub.people.models import Role, User
from hub.people.permissions import RIGHTS

ROLES = {
    Role.OPS: gettext_lazy("Product Ops"),
    Role.LEADER: gettext_lazy("leaders"),
    Role.MEMBER: gettext_lazy("everybody in the hub"),
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what no form of ours sends."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say who may do this, and whom to ask."""
    right = str(exception or "")
    context = {"who": who_may(right), "ask": whom_to_ask(right) if request.user.is_authenticated else []}
    return render(request, "403.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that nothing is here, and where to look."""
    return render(request, "404.html", status=404)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was open too long, or that came from another site. `reason` is for the log alone."""
    return render(request, "403_csrf.html", status=403)


def who_may(right: str) -> str:
    """Name in words the roles that hold `right`; empty for what is no right of ours."""
    if right not in RIGHTS:
        return ""
    if RIGHTS[right].test(User(role=Role.MEMBER, is_active=True), None):
        return str(ROLES[Role.MEMBER])
    holders = [str(ROLES[role]) for role in ROLES if RIGHTS[right].test(User(role=role, is_active=True), None)]
    if RIGHTS[right].test(User(role=Role.MEMBER, is_active=True, is_staff=True), None):
        holders.append(_("technical admins"))
    return get_text_list(holders, pgettext("before the last of a list", "and"))


def whom_to_ask(right: str = "") -> list[User]:
    """Return up to three people of Product Ops, or technical admins where Product Ops may not do it either."""
    people = User.objects.active().order_by("name", "pk")
    is_for_ops = right not in RIGHTS or RIGHTS[right].test(User(role=Role.OPS, is_active=True), None)
    return list((people.filter(role=Role.OPS) if is_for_ops else people.filter(is_staff=True))[:3])
