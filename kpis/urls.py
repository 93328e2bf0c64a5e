"""Addresses of this room. “leadership” and “teams” are no keys of metrics."""

from django.urls import path

from . import views

app_name = "kpis"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("leadership/", views.leadership, name="leadership"),
    path("teams/<slug:slug>/", views.team_dashboard, name="team_dashboard"),
    path("<slug:key>/", views.metric_detail, name="metric_detail"),
    path("<slug:key>/csv/", views.metric_csv, name="metric_csv"),
    path("<slug:key>/edit/", views.metric_edit, name="metric_edit"),
    path("<slug:key>/verify/", views.metric_verify, name="metric_verify"),
    path("<slug:key>/target/", views.target_set, name="target_set"),
    path("<slug:key>/target/<int:pk>/withdraw/", views.target_withdraw, name="target_withdraw"),
    path("<slug:key>/comments/", views.comment_add, name="comment_add"),
]
