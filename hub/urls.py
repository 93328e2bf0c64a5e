"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path

from hub.core.health import livez, readyz

handler400 = "hub.home.errors.bad_request"
handler403 = "hub.home.errors.forbidden"
handler404 = "hub.home.errors.not_found"
handler500 = "hub.core.health.server_error"

urlpatterns = [
    path("livez/", livez, name="livez"),
    path("readyz/", readyz, name="readyz"),
    path("", include("hub.home.urls")),
    path("people/accounts/", include("connectors.accounts.urls")),
    path("people/", include("hub.people.urls")),
    path("search/", include("hub.search.urls")),
    path("imports/", include("hub.imports.urls")),
    path("tools/", include("tooling.urls")),
    path("library/", include("frameworks.urls")),
    path("onboarding/", include("onboarding.urls")),
    path("kpis/", include("kpis.urls")),
    path("api/", include("kpis.api.urls")),
    path("", include("connectors.webhooks.urls")),
    path("syncs/", include("connectors.mappings.urls")),
    path("syncs/", include("connectors.urls")),
    path("account/", include("hub.people.account_urls")),
    path("admin/", admin.site.urls),
]
