"""Addresses of this room."""

from django.urls import path

from . import views

app_name = "connectors"
urlpatterns = [
    path("", views.sync_list, name="sync_list"),
    path("run/", views.sync_run_all, name="sync_run_all"),
    path("new/", views.connection_create, name="connection_create"),
    path("what-is-read/", views.what_is_read, name="what_is_read"),
    path("<int:pk>/", views.connection_detail, name="connection_detail"),
    path("<int:pk>/edit/", views.connection_edit, name="connection_edit"),
    path("<int:pk>/remove/", views.connection_remove, name="connection_remove"),
    path("<int:pk>/run/", views.connection_run, name="connection_run"),
    path("<int:pk>/test/", views.connection_test, name="connection_test"),
    path("<int:pk>/switch/<int:on>/", views.connection_switch, name="connection_switch"),
    path("<int:pk>/back-fill/", views.connection_back_fill, name="connection_back_fill"),
    path("<int:pk>/streams/<slug:stream>/", views.stream_detail, name="stream_detail"),
    path("<int:pk>/streams/<slug:stream>/switch/<int:on>/", views.stream_switch, name="stream_switch"),
    path("<int:pk>/refused/<int:record>/", views.refused_detail, name="refused_detail"),
    path("<int:pk>/streams/<slug:stream>/confirm/", views.sweep_confirm, name="sweep_confirm"),
    path("<int:pk>/jobs/<uuid:job>/retry/", views.job_retry, name="job_retry"),
]
