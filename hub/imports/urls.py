"""Addresses of the files on their way in."""

from django.urls import path

from . import feed_views, views

app_name = "imports"
urlpatterns = [
    path("", views.plan_list, name="plan_list"),
    path("new/<slug:kind>/", views.plan_create, name="plan_create"),
    path("template/<slug:kind>/", views.plan_template, name="plan_template"),
    path("addresses/new/<slug:kind>/", feed_views.feed_create, name="feed_create"),
    path("addresses/<int:pk>/", feed_views.feed_edit, name="feed_edit"),
    path("addresses/<int:pk>/read/", feed_views.feed_read, name="feed_read"),
    path("addresses/<int:pk>/remove/", feed_views.feed_remove, name="feed_remove"),
    path("<int:pk>/", views.plan_detail, name="plan_detail"),
    path("<int:pk>/read/", views.plan_read, name="plan_read"),
    path("<int:pk>/apply/", views.plan_apply, name="plan_apply"),
    path("<int:pk>/undo/", views.plan_undo, name="plan_undo"),
    path("<int:pk>/discard/", views.plan_discard, name="plan_discard"),
]
