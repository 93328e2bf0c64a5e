"""Repair of the tools room; what a sync or an action writes is read-only."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models

from .models import (
    AdoptionRollup,
    Capability,
    StandardDecision,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Vendor,
    Workspace,
)

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Admin = admin.ModelAdmin
    Inline = admin.TabularInline


class Base(Admin):
    """A list to repair; an address typed without its scheme is https."""

    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


class ReadOnly(Base):
    """Rows that people look at, never change."""

    def has_add_permission(self, _request: Any) -> bool:
        return False

    def has_change_permission(self, _request: Any, _obj: Any = None) -> bool:
        return False


class AliasInline(Inline):
    model = ToolAlias
    extra = 0
    readonly_fields = ("key",)
    can_delete = True

    def has_add_permission(self, _request: Any, _obj: Any = None) -> bool:
        return False


class CapabilityInline(Inline):
    model = ToolCapability
    extra = 0


class OwnerInline(Inline):
    model = ToolOwner
    extra = 0
    raw_id_fields = ("person", "team")


@admin.register(Tool)
class ToolAdmin(Base):
    list_display = ("name", "lifecycle", "ring", "vendor", "is_starter", "version")
    list_filter = ("lifecycle", "ring", "is_starter")
    list_select_related = ("vendor",)
    search_fields = ("name", "slug")
    readonly_fields = ("lifecycle", "lifecycle_since", "ring", "ring_since", "is_starter", "version")
    raw_id_fields = ("vendor", "successor")
    inlines = (AliasInline, CapabilityInline, OwnerInline)
    ordering = ("name", "pk")


@admin.register(Vendor)
class VendorAdmin(Base):
    list_display = ("name", "slug", "website")
    search_fields = ("name",)


@admin.register(Capability)
class CapabilityAdmin(Base):
    list_display = ("name_en", "name_fr", "parent", "sort")
    list_select_related = ("parent",)
    search_fields = ("name_en", "name_fr")


@admin.register(Workspace)
class WorkspaceAdmin(Base):
    list_display = ("name", "tool", "connection")
    list_select_related = ("tool", "connection")
    raw_id_fields = ("tool", "connection")


@admin.register(StandardDecision)
class StandardDecisionAdmin(ReadOnly):
    list_display = ("tool", "capability", "team", "ring", "decided_on", "is_current")
    list_select_related = ("tool", "capability", "team")
    list_filter = ("ring", "is_current")


@admin.register(AdoptionRollup)
class AdoptionRollupAdmin(ReadOnly):
    list_display = ("tool", "team", "window", "as_of", "eligible", "active", "signal", "is_current")
    list_select_related = ("tool", "team")
    list_filter = ("window", "is_current")
