"""Addresses of this room. A word that stands beside `<slug>/` is in `actions.tools.RESERVED_SLUGS`."""

from django.urls import path

from .views import capabilities, tools

app_name = "tooling"
urlpatterns = [
    path("", tools.tool_list, name="tool_list"),
    path("new/", tools.tool_create, name="tool_create"),
    path("export/", tools.tool_export, name="tool_export"),
    path("capabilities/", capabilities.capability_list, name="capability_list"),
    path("capabilities/<slug:slug>/", capabilities.capability_detail, name="capability_detail"),
    path("<slug:slug>/", tools.tool_detail, name="tool_detail"),
    path("<slug:slug>/edit/", tools.tool_edit, name="tool_edit"),
    path("<slug:slug>/move/", tools.tool_move, name="tool_move"),
    path("<slug:slug>/standing/", tools.tool_decide, name="tool_decide"),
    path("<slug:slug>/owner/", tools.tool_hand_over, name="tool_hand_over"),
    path("<slug:slug>/undo/<int:event_id>/", tools.tool_undo, name="tool_undo"),
]
