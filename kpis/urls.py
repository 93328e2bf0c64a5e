"""Addresses of this room. “leadership” and “teams” are no keys of metrics."""

from django.urls import path

from .views import dashboards, metrics, targets

app_name = "kpis"
urlpatterns = [
    path("", dashboards.overview, name="overview"),
    path("leadership/", dashboards.leadership, name="leadership"),
    path("teams/<slug:slug>/", dashboards.team_dashboard, name="team_dashboard"),
    path("<slug:key>/", metrics.metric_detail, name="metric_detail"),
    path("<slug:key>/csv/", metrics.metric_csv, name="metric_csv"),
    path("<slug:key>/edit/", metrics.metric_edit, name="metric_edit"),
    path("<slug:key>/verify/", metrics.metric_verify, name="metric_verify"),
    path("<slug:key>/target/", targets.target_set, name="target_set"),
    path("<slug:key>/target/<int:pk>/withdraw/", targets.target_withdraw, name="target_withdraw"),
    path("<slug:key>/comments/", metrics.comment_add, name="comment_add"),
]
