"""Addresses of this room."""

from django.urls import path

from . import views

app_name = "frameworks"
urlpatterns = [path("", views.library, name="library")]
