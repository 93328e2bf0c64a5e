"""Addresses of the pages that say who is who; they stand under `people/accounts/`."""

from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("", views.account_list, name="account_list"),
    path("match/", views.account_match, name="account_match"),
    path("ignore/", views.account_ignore, name="account_ignore"),
    path("undo/<uuid:batch>/", views.account_undo, name="account_undo"),
    path("suggest/", views.suggest, name="suggest"),
    path("teams/", views.team_list, name="team_list"),
    path("teams/match/", views.team_match, name="team_match"),
    path("leavers/", views.leaver_list, name="leaver_list"),
    path("of/<int:pk>/", views.of_person, name="of_person"),
]
