"""Addresses of this room. A word that stands beside `<slug>/` is in `actions.tools.RESERVED_SLUGS`."""

from django.urls import path

from .views import capabilities, imports, tools

app_name = "tooling"
urlpatterns = [
    path("", tools.tool_list, name="tool_list"),
    path("new/", tools.tool_create, name="tool_create"),
    path("export/", tools.tool_export, name="tool_export"),
    path("capabilities/", capabilities.capability_list, name="capability_list"),
    path("capabilities/<slug:slug>/", capabilities.capability_detail, name="capability_detail"),
    path("imports/", imports.import_create, name="import_create"),
    path("imports/template/", imports.import_template, name="import_template"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/read/", imports.import_read, name="import_read"),
    path("imports/<int:pk>/apply/", imports.import_apply, name="import_apply"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import_undo"),
    path("imports/<int:pk>/discard/", imports.import_discard, name="import_discard"),
    path("<slug:slug>/", tools.tool_detail, name="tool_detail"),
    path("<slug:slug>/edit/", tools.tool_edit, name="tool_edit"),
    path("<slug:slug>/move/", tools.tool_move, name="tool_move"),
    path("<slug:slug>/standing/", tools.tool_decide, name="tool_decide"),
    path("<slug:slug>/owner/", tools.tool_hand_over, name="tool_hand_over"),
    path("<slug:slug>/undo/<int:event_id>/", tools.tool_undo, name="tool_undo"),
]
