"""Django's admin behind the hub's own door."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _

View = TypeVar("View", bound=Callable[..., Any])

# Its own doors: sign-in there would go round the limits on guessing, the others have a page in the hub.
OWN_DOORS = {"login", "logout", "password_change", "password_change_done"}


# Rights are rules in the code, no groups; an address is its person's, changed on their row.
NOT_FOR_REPAIR = {"auth.Group", "account.EmailAddress"}


class RepairSite(AdminSite):
    """The admin for repair: only technical admins, who signed in as everybody does.

    Its scripts come as files without a nonce, so the content policy lets it load our own files, and only here.
    """

    site_header = _("Repair")
    site_title = _("Repair")
    index_title = _("Tables")

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        kept = [model for model in cast(Iterable[type[Model]], models) if model._meta.label not in NOT_FOR_REPAIR]
        super().register(kept, *args, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        urls = [url for url in super().get_urls() if getattr(url, "name", None) not in OWN_DOORS]
        for url in urls:
            if isinstance(url, URLPattern) and hasattr(url.callback, "login_url"):
                url.callback.login_url = settings.LOGIN_URL  # where strangers are sent; the admin would name its own
        return urls

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        @csp_update({"script-src": [SELF]})
        def for_admins(request: HttpRequest, /, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                raise PermissionDenied("admin")
            answer: HttpResponse = guarded(request, *args, **kwargs)
            return answer

        return cast(View, for_admins)
