"""Repair: what people may set right by hand. Computed values are to read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Comment, Metric, Observation, ObservationHistory, Target


@admin.register(Metric)
class MetricAdmin(admin.ModelAdmin[Metric]):
    list_display = ("key", "name", "status", "owner", "position", "is_headline", "read_at")
    list_select_related = ("owner",)
    list_filter = ("status", "is_headline")
    search_fields = ("key", "name", "name_fr")
    readonly_fields = ("key", "kind", "unit", "streams", "read_at", "computed_at", "version")
    raw_id_fields = ("owner",)
    ordering = ("position", "pk")


@admin.register(Target)
class TargetAdmin(admin.ModelAdmin[Target]):
    list_display = ("metric", "team", "value", "upper", "since", "set_by", "withdrawn_at")
    list_select_related = ("metric", "team", "set_by")
    raw_id_fields = ("metric", "team", "set_by")
    ordering = ("-since", "-pk")


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin[Comment]):
    list_display = ("metric", "team", "author", "written_at")
    list_select_related = ("metric", "team", "author")
    raw_id_fields = ("metric", "team", "author")
    readonly_fields = ("key",)
    ordering = ("-written_at", "-pk")


class ComputedAdmin(admin.ModelAdmin[Any]):
    """What only a computation writes."""

    list_display = ("metric", "team", "week", "value", "n", "coverage", "read_at")
    list_select_related = ("metric", "team")
    list_filter = ("metric",)
    ordering = ("-week", "metric", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.register(Observation, ComputedAdmin)
admin.site.register(ObservationHistory, ComputedAdmin)
