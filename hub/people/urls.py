"""Addresses of the people pages."""

from django.urls import path

from .views import invitations, own, people, teams

app_name = "people"
urlpatterns = [
    path("", people.person_list, name="person_list"),
    path("export.csv", people.person_export, name="person_export"),
    path("me/", own.profile, name="profile"),
    path("what-we-measure/", own.privacy, name="privacy"),
    path("invite/", invitations.invite, name="invite"),
    path("invitations/", invitations.invitation_list, name="invitation_list"),
    path("invitations/<int:pk>/renew/", invitations.invitation_renew, name="invitation_renew"),
    path("invitations/<int:pk>/revoke/", invitations.invitation_revoke, name="invitation_revoke"),
    path("welcome/<str:token>/", invitations.invitation_accept, name="invitation_accept"),
    path("teams/", teams.team_list, name="team_list"),
    path("teams/new/", teams.team_create, name="team_create"),
    path("teams/<slug:slug>/", teams.team_detail, name="team_detail"),
    path("teams/<slug:slug>/edit/", teams.team_edit, name="team_edit"),
    path("memberships/<int:pk>/edit/", people.membership_edit, name="membership_edit"),
    path("<int:pk>/", people.person_detail, name="person_detail"),
    path("<int:pk>/edit/", people.person_edit, name="person_edit"),
    path("<int:pk>/deactivate/", people.person_deactivate, name="person_deactivate"),
    path("<int:pk>/reactivate/", people.person_reactivate, name="person_reactivate"),
    path("<int:pk>/teams/new/", people.membership_create, name="membership_create"),
]
