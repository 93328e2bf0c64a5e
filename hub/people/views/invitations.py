"""Coming in: the link that Product Ops sends, and what happens behind it."""

from smtplib import SMTPException

import structlog
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.people import actions, mail
from hub.people.forms import AcceptForm, InviteForm
from hub.people.models import Invitation, Role, User
from hub.people.permissions import requires

log = structlog.get_logger()

STATUS_TONES = {
    Invitation.Status.OPEN: "info",
    Invitation.Status.EXPIRED: "warn",
    Invitation.Status.ACCEPTED: "ok",
    Invitation.Status.REVOKED: "neutral",
}


@require_safe
@requires("people.invite")
def invitation_list(request: Request) -> HttpResponse:
    """List the invitations, those that wait first."""
    waits = Case(When(accepted_at=None, revoked_at=None, then=Value(0)), default=Value(1))
    rows = Invitation.objects.select_related("team", "invited_by").order_by(waits, "-created_at", "-pk")
    page = paginate(request, rows)
    context = {"page": page, "rows": [(row, STATUS_TONES[row.status]) for row in page]}
    return render_page(request, "people/invitation_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.invite")
def invite(request: Request) -> HttpResponse:
    """Invite a person: a mail goes out, and the link is shown this once."""
    start = {name: request.GET.get(name, "")[:254] for name in ("name", "email") if name in request.GET}
    form = InviteForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            sealed = actions.invite(
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                role=Role(form.cleaned_data["role"]),
                team=form.cleaned_data["team"],
                by=request.user,
            )
        except actions.AlreadyHere as known:
            form.add_error("email", _("%(name)s can sign in already.") % {"name": known.person})
        except actions.AlreadyInvited:
            form.add_error(
                "email", _("An invitation to this address already waits. Send it again from the list of invitations.")
            )
        else:
            return sent(request, sealed)
    return render_page(request, "people/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@requires("people.invite")
def invitation_renew(request: Request, pk: int) -> HttpResponse:
    """Send an invitation again with a fresh link; the old link stops working."""
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        sealed = actions.renew_invitation(invitation=invitation, by=request.user)
    except actions.InvitationClosed:
        say(request, _("This invitation was answered or taken back already."), level="warning")
        return redirect("people:invitation_list")
    return sent(request, sealed)


@require_POST
@requires("people.invite")
def invitation_revoke(request: Request, pk: int) -> HttpResponse:
    """Take an invitation back; its link stops working at once."""
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        actions.revoke_invitation(invitation=invitation, by=request.user)
    except actions.InvitationClosed:
        say(request, _("This invitation was answered or taken back already."), level="warning")
    else:
        say(request, _("The invitation to %(name)s was taken back.") % {"name": invitation.name})
    return redirect("people:invitation_list")


@sensitive_variables("sealed", "link")
def sent(request: Request, sealed: actions.Sealed) -> HttpResponse:
    """Send the mail and show the link, in the answer itself: a redirect would have to keep the token somewhere."""
    invitation = sealed.invitation
    link = mail.absolute(reverse("people:invitation_accept", args=[sealed.token]))
    person = User.objects.filter(email=invitation.email).first()
    language = (person.language if person else "") or get_language() or "en"
    try:
        context: dict[str, object] = {"invitation": invitation, "by": request.user, "link": link}
        mail.send("invitation", to=invitation.email, language=language, context=context)
        is_mailed = True
    except (OSError, SMTPException) as error:
        log.warning("mail.failed", kind="invitation", invitation=invitation.pk, error=type(error).__name__)
        is_mailed = False
    shown = {"invitation": invitation, "link": link, "is_mailed": is_mailed}
    answer = render_page(request, "people/invitation_sent.html", shown)
    add_never_cache_headers(answer)
    return answer


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def invitation_accept(request: Request, token: str) -> HttpResponse:
    """Let an invited person choose a password and come in; the link works once."""
    invitation = Invitation.objects.select_related("team", "invited_by").filter(
        token_hash=Invitation.hash_of(token)
    ).first()  # fmt: skip
    if invitation is None or not invitation.is_open:
        return closed(request, invitation)
    form = AcceptForm(request.POST or None, invitation=invitation)
    if request.method == "POST" and form.is_valid():
        try:
            person = actions.accept_invitation(token=token, language=get_language() or "", **form.cleaned_data)
        except actions.InvitationClosed:
            invitation.refresh_from_db()
            return closed(request, invitation)
        login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
        say(request, _("Welcome, %(name)s.") % {"name": person})
        return redirect("home:home")
    context = {"form": form, "invitation": invitation}
    answer = render_page(request, "people/invitation_accept.html", context, status=422 if form.errors else 200)
    add_never_cache_headers(answer)
    return answer


def closed(request: HttpRequest, invitation: Invitation | None) -> HttpResponse:
    """Say why a link does not open the door, and what to do."""
    status = invitation.status if invitation else ""
    answer = render_page(request, "people/invitation_closed.html", {"state": status}, status=410 if invitation else 404)  # type: ignore[arg-type]
    add_never_cache_headers(answer)
    return answer
