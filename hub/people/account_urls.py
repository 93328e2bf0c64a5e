"""The addresses of sign-in: of all that allauth offers, only those that this house uses.

Sign-up is closed (people come in by invitation), so its address does not exist; nor do the pages with which people
would change their e-mail, for it is what joins a person across tools and belongs to Product Ops.
"""

from allauth.account import views
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods, require_safe

form_page = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns = [
    path("login/", form_page(views.login), name="account_login"),
    path("logout/", form_page(views.logout), name="account_logout"),
    path("password/change/", form_page(views.password_change), name="account_change_password"),
    path("password/reset/", form_page(views.password_reset), name="account_reset_password"),
    path("password/reset/done/", require_safe(views.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        form_page(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        require_safe(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]
