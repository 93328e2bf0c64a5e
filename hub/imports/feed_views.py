"""Addresses whose file is read every night."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.core.http import Request, render_page, row_id
from hub.core.messages import say
from hub.people.permissions import requires

from . import feeds
from .forms import FeedForm
from .kinds import Kind
from .models import Feed, ImportPlan
from .tasks import read_feed
from .views import PlanView, known_kind, said_of


@require_http_methods(["GET", "HEAD", "POST"])
@requires("imports.edit_feeds")
def feed_create(request: Request, kind: str) -> HttpResponse:
    """Set up an address; `?plan=` takes the columns of a file that was read before."""
    sort = known_kind(kind)
    feed = Feed(kind=sort.key)
    if (plan_id := row_id(request.GET.get("plan", ""))) is not None:
        plan = ImportPlan.objects.defer("content").filter(pk=plan_id, kind=sort.key).first()
        if plan is not None:
            feed.columns, feed.is_whole = feeds.columns_of(plan), plan.is_whole
    return edit(request, feed, sort)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("imports.edit_feeds")
def feed_edit(request: Request, pk: int) -> HttpResponse:
    """Change an address, and see how it is doing."""
    feed = get_object_or_404(Feed, pk=pk)
    return edit(request, feed, known_kind(feed.kind))


def edit(request: Request, feed: Feed, kind: Kind) -> HttpResponse:
    """Show the form of an address, or keep what it says."""
    form = FeedForm(
        request.POST or None,
        kind=kind,
        feed=feed,
        may_hold_tokens=request.user.has_perm("imports.hold_tokens"),
        initial={"label": feed.label, "url": feed.url, "is_whole": feed.is_whole, "is_active": feed.is_active},
    )
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        feeds.save_feed(
            feed=feed,
            label=told["label"],
            url=told["url"],
            is_whole=told.get("is_whole", False),
            is_active=told["is_active"],
            secret=form.token(),
            by=request.user,
        )
        say(request, _("The address was saved."))
        return redirect(feed)
    plans = feed.plans.defer("content").select_related("by", "feed").order_by("-pk")[:5] if feed.pk else ()
    context = {
        "form": form,
        "kind": kind,
        "feed": feed,
        "heading": feed.label or _("Read from an address every night"),
        "failure": said_of(feed),
        "plans": [PlanView(plan, str(kind.title)) for plan in plans],
    }
    return render_page(request, "imports/feed_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@requires("imports.edit_feeds")
def feed_read(request: Request, pk: int) -> HttpResponse:
    """Have a worker read an address now."""
    feed = get_object_or_404(Feed, pk=pk)
    read_feed.enqueue(feed_id=feed.pk)
    say(request, _("The address is being read; what came of it will stand here."))
    return redirect(feed)


@require_POST
@requires("imports.edit_feeds")
def feed_remove(request: Request, pk: int) -> HttpResponse:
    """Forget an address and its token; what it brought stays."""
    feed = get_object_or_404(Feed, pk=pk)
    feeds.remove_feed(feed=feed, by=request.user)
    say(request, _("The address was removed; what it brought stays."))
    return redirect("imports:plan_list")
