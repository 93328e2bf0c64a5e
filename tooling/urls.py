"""Addresses of this room."""

from django.urls import URLPattern

app_name = "tooling"
urlpatterns: list[URLPattern] = []
