"""Files on their way in, for repair: read, never written."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from .models import Feed, ImportPlan

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
else:
    Admin = admin.ModelAdmin


class ReadOnly(Admin):
    """Rows that people look at, never change."""

    def has_add_permission(self, _request: Any) -> bool:
        return False

    def has_change_permission(self, _request: Any, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: Any, _obj: Any = None) -> bool:
        return False


@admin.register(ImportPlan)
class ImportPlanAdmin(ReadOnly):
    list_display = ("filename", "kind", "by", "state", "row_count", "applied_count", "created_at")
    list_select_related = ("by",)
    list_filter = ("kind", "state")


@admin.register(Feed)
class FeedAdmin(ReadOnly):
    list_display = ("label", "kind", "is_active", "last_success_at", "failure")
    list_filter = ("kind", "is_active")
