"""Addresses of the palette."""

from django.urls import path

from . import views

app_name = "search"
urlpatterns = [path("", views.palette, name="palette")]
