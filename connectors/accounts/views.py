"""The pages on which Product Ops says who is who."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from connectors.models import Connection
from hub.core.http import Request, paginate, render_page, row_id
from hub.core.messages import say
from hub.people.models import Team, User
from hub.people.permissions import require, requires

from . import actions, forms, queries

SUGGEST_AT_MOST = 8
TYPED = "typed_beside_accounts"  # in the session: what was typed and is not decided yet
LONGEST = 254
SHOWN = (
    "name", "email", "external_id", "kind", "last_seen_at", "connection__label", "person__name", "person__email",
)  # fmt: skip


@require_safe
@requires("people.match_accounts")
def account_list(request: Request) -> HttpResponse:
    """List the accounts without a person; `?q=`, `?tool=`, `?kind=` narrow it, `?state=decided` shows the others."""
    is_decided = request.GET.get("state") == "decided"
    accounts = queries.decided() if is_decided else queries.unmatched()
    words, kind = request.GET.get("q", "")[:200].strip(), request.GET.get("kind", "")
    for word in words.split()[:8]:
        accounts = accounts.filter(Q(name__icontains=word) | Q(email__icontains=word))
    if tool := row_id(request.GET.get("tool", "")):
        accounts = accounts.filter(connection=tool)
    if kind in ("member", "admin", "guest", "bot"):
        accounts = accounts.filter(kind=kind)
    accounts = accounts.select_related("connection", "person").order_by("connection", "name", "id")
    accounts = accounts.only(*SHOWN)
    is_narrowed, waiting = bool(words or tool or kind), queries.waiting()
    page = paginate(request, accounts, count=None if is_narrowed or is_decided else waiting.accounts)
    context = {
        "page": page,
        "rows": [queries.Row(account, ()) for account in page] if is_decided else queries.rows_of(page),
        "is_decided": is_decided,
        "is_narrowed": is_narrowed,
        "words": words,
        "tool": tool,
        "kind": kind,
        "tools": list(Connection.objects.filter(is_active=True).order_by("label", "pk").only("pk", "label")),
        "waiting": waiting,
        "typed": request.session.pop(TYPED, {}),
    }
    return render_page(request, "connectors/accounts/account_list.html", context)


@require_safe
@requires("people.match_accounts")
def team_list(request: Request) -> HttpResponse:
    """List the tool teams that stand for no team of the company; `?state=decided` shows the others."""
    is_decided = request.GET.get("state") == "decided"
    teams = queries.live_teams().exclude(team=None) if is_decided else queries.loose_teams()
    typed = request.session.pop(TYPED, {})
    page = paginate(request, teams.select_related("connection", "team").order_by("connection", "name", "id"))
    context = {
        "page": page,
        "rows": [(row, typed.get(f"team-{row.pk}", "")) for row in page],
        "is_decided": is_decided,
        "teams": list(Team.objects.active().order_by("name", "pk").only("name", "slug")),
        "waiting": queries.waiting(),
    }
    return render_page(request, "connectors/accounts/team_list.html", context)


@require_safe
@requires("people.match_accounts")
def leaver_list(request: Request) -> HttpResponse:
    """List the open accounts of people who left: seats that cost, and doors that stand open."""
    accounts = queries.leavers().select_related("connection", "person").order_by("-person__left_on", "person", "id")
    context = {"page": paginate(request, accounts), "waiting": queries.waiting()}
    return render_page(request, "connectors/accounts/leaver_list.html", context)


@require_POST
@requires("people.match_accounts")
def account_match(request: Request) -> HttpResponse:
    """Tie accounts to the people picked or typed beside them."""
    typed = forms.typed_people(request.POST)
    if typed.unclear:
        texts = ", ".join(f"“{text}”" for text in typed.unclear.values())
        say(request, _("No one person is called %(texts)s. Give their e-mail.") % {"texts": texts}, level="error")
    if typed.pairs:
        decided = actions.match_accounts(pairs=typed.pairs, by=request.user)
        text = ngettext("%(count)s account was matched.", "%(count)s accounts were matched.", decided.count)
        say(request, text % {"count": decided.count}, undo=undo_url(decided))
    elif not typed.unclear:
        say(request, _("Type an e-mail or a name beside the account first."), level="warning")
    keep_typed(request, "person-", done=typed.pairs)
    return back(request, "accounts:account_list")


@require_POST
@requires("people.match_accounts")
def account_ignore(request: Request) -> HttpResponse:
    """Set accounts aside that belong to no person."""
    ids = forms.chosen_ids(request.POST)
    if ids:
        decided = actions.ignore_accounts(ids=ids, by=request.user)
        text = ngettext("%(count)s account was set aside.", "%(count)s accounts were set aside.", decided.count)
        say(request, text % {"count": decided.count}, undo=undo_url(decided))
    else:
        say(request, _("Tick the accounts first."), level="warning")
    return back(request, "accounts:account_list")


@require_POST
@requires("people.match_accounts")
def team_match(request: Request) -> HttpResponse:
    """Say which team of the company each tool team stands for."""
    typed = forms.typed_teams(request.POST)
    if typed.unclear:
        texts = ", ".join(f"“{text}”" for text in typed.unclear.values())
        say(request, _("No one team is called %(texts)s. Choose it from the list.") % {"texts": texts}, level="error")
    if typed.pairs:
        decided = actions.match_teams(pairs=typed.pairs, by=request.user)
        text = ngettext("%(count)s team was tied.", "%(count)s teams were tied.", decided.count)
        say(request, text % {"count": decided.count}, undo=undo_url(decided))
    elif not typed.unclear:
        say(request, _("Type the team beside the tool’s team first."), level="warning")
    keep_typed(request, "team-", done=typed.pairs)
    return back(request, "accounts:team_list")


@require_POST
@requires("people.match_accounts")
def account_undo(request: Request, batch: UUID) -> HttpResponse:
    """Take back what was decided together."""
    count = actions.undo(batch=batch, by=request.user)
    if count:
        text = ngettext("%(count)s decision was taken back.", "%(count)s decisions were taken back.", count)
        say(request, text % {"count": count})
    else:
        say(request, _("There was nothing to take back."), level="info")
    return back(request, "accounts:account_list")


@require_safe
@requires("people.match_accounts")
def suggest(request: Request) -> HttpResponse:
    """Answer the options of a list of suggestions for what is being typed."""
    typed = next((text for key, text in request.GET.items() if key == "q" or key.startswith("person-")), "")
    words = str(typed)[:100].strip()
    people = User.objects.matching(words).order_by("-is_active", "name", "pk")[:SUGGEST_AT_MOST] if words else ()
    return render_page(request, "connectors/accounts/suggest.html", {"people": people})


@require_safe
@requires("people.see_directory")
def of_person(request: Request, pk: int) -> HttpResponse:
    """Show the accounts of one person across tools, to them and to Product Ops."""
    person = get_object_or_404(User, pk=pk)
    require(request.user, "people.see_accounts", person)
    context = {"person": person, "accounts": list(queries.accounts_of(person))}
    return render_page(request, "connectors/accounts/of_person.html", context, partials=("person-accounts",))


def keep_typed(request: Request, prefix: str, *, done: Collection[int]) -> None:
    """Remember what was typed beside the rows that are not `done`, for the next look at the list."""
    fields = {f"{prefix}{row}" for row in done}
    typed = {
        field: str(text)[:LONGEST]
        for field, text in request.POST.items()
        if field.startswith(prefix) and field not in fields and str(text).strip()
    }
    if typed:
        request.session[TYPED] = typed


def undo_url(decided: actions.Decided) -> str:
    """Return the address that takes back what was just decided."""
    return reverse("accounts:account_undo", args=[decided.batch])


def back(request: Request, name: str) -> HttpResponse:
    """Return to the list as it was filtered: the page says so in `?…` of the form's own address."""
    query = request.GET.urlencode()
    return redirect(f"{reverse(name)}?{query}" if query else name)
