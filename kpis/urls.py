"""Addresses of this room. “leadership”, “teams”, “joins”, “new” and “sources” are no keys of metrics (kpis.forms)."""

from django.urls import path

from .views import dashboards, databases, joins, metrics, sources, targets, tokens

app_name = "kpis"
urlpatterns = [
    path("", dashboards.overview, name="overview"),
    path("leadership/", dashboards.leadership, name="leadership"),
    path("teams/<slug:slug>/", dashboards.team_dashboard, name="team_dashboard"),
    path("joins/", joins.join_list, name="join_list"),
    path("joins/link/", joins.project_link, name="project_link"),
    path("joins/<int:pk>/unlink/", joins.project_unlink, name="project_unlink"),
    path("new/", sources.metric_create, name="metric_create"),
    path("sources/", sources.source_list, name="source_list"),
    path("sources/push/", tokens.push_docs, name="push_docs"),
    path("sources/tokens/new/", tokens.token_create, name="token_create"),
    path("sources/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("sources/databases/permit/", databases.permit_switch, name="permit_switch"),
    path("sources/databases/new/", databases.warehouse_create, name="warehouse_create"),
    path("sources/databases/<int:pk>/remove/", databases.warehouse_remove, name="warehouse_remove"),
    path("<slug:key>/query/", databases.query_edit, name="query_edit"),
    path("<slug:key>/query/try/", databases.query_try, name="query_try"),
    path("<slug:key>/query/switch/", databases.query_switch, name="query_switch"),
    path("<slug:key>/", metrics.metric_detail, name="metric_detail"),
    path("<slug:key>/csv/", metrics.metric_csv, name="metric_csv"),
    path("<slug:key>/edit/", metrics.metric_edit, name="metric_edit"),
    path("<slug:key>/verify/", metrics.metric_verify, name="metric_verify"),
    path("<slug:key>/target/", targets.target_set, name="target_set"),
    path("<slug:key>/target/<int:pk>/withdraw/", targets.target_withdraw, name="target_withdraw"),
    path("<slug:key>/comments/", metrics.comment_add, name="comment_add"),
    path("<slug:key>/comments/<int:pk>/remove/", metrics.comment_remove, name="comment_remove"),
]
