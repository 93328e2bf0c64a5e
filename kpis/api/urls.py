"""Addresses for machines. Version 1 keeps its fields and codes; what must break gets another number."""

from django.urls import path

from .openapi import document
from .push import activity, observations

app_name = "api"
urlpatterns = [
    path("v1/observations", observations, name="observations"),
    path("v1/activity", activity, name="activity"),
    path("v1/openapi.json", document, name="openapi"),
]
