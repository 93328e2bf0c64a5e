"""Addresses of the pages that say what a database holds; they stand under `syncs/<connection>/databases/`."""

from django.urls import path

from . import views

app_name = "mappings"
urlpatterns = [
    path("<int:pk>/databases/", views.source_list, name="source_list"),
    path("<int:pk>/databases/look/", views.source_look, name="source_look"),
    path("<int:pk>/databases/<uuid:ref>/", views.mapping_edit, name="mapping_edit"),
    path("<int:pk>/databases/<uuid:ref>/remove/", views.mapping_remove, name="mapping_remove"),
    path("<int:pk>/databases/undo/<uuid:batch>/", views.mapping_undo, name="mapping_undo"),
]
