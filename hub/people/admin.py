"""People in Django's admin: for repair."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from .models import Invitation, Membership, Team, User

if TYPE_CHECKING:
    UserModelAdmin = admin.ModelAdmin[User]
    TeamModelAdmin = admin.ModelAdmin[Team]
    MembershipModelAdmin = admin.ModelAdmin[Membership]
    InvitationModelAdmin = admin.ModelAdmin[Invitation]
    MembershipTabularInline = admin.TabularInline[Membership, User]
else:
    UserModelAdmin = TeamModelAdmin = MembershipModelAdmin = InvitationModelAdmin = admin.ModelAdmin
    MembershipTabularInline = admin.TabularInline


class MembershipInline(MembershipTabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("team",)


@admin.register(User)
class UserAdmin(UserModelAdmin):
    list_display = ("name", "email", "role", "is_active", "is_staff", "last_visit_at")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    inlines = (MembershipInline,)
    # No password here: it is chosen through a link, never set by somebody else.
    fields = (
        "email", "name", "job_title", "role", "is_active", "is_staff", "is_superuser",
        "started_on", "left_on", "language", "theme",
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # people leave; what they did stays


@admin.register(Team)
class TeamAdmin(TeamModelAdmin):
    list_display = ("name", "slug", "parent", "lead", "is_active")
    list_select_related = ("parent", "lead")
    search_fields = ("name", "slug")
    ordering = ("name", "pk")
    autocomplete_fields = ("parent", "lead")


@admin.register(Membership)
class MembershipAdmin(MembershipModelAdmin):
    list_display = ("person", "team", "starts_on", "ends_on", "is_primary")
    list_select_related = ("person", "team")
    search_fields = ("person__name", "person__email", "team__name")
    ordering = ("-starts_on", "pk")
    autocomplete_fields = ("person", "team")


@admin.register(Invitation)
class InvitationAdmin(InvitationModelAdmin):
    list_display = ("email", "name", "role", "team", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("team",)
    search_fields = ("email", "name")
    ordering = ("-created_at", "pk")
    readonly_fields = ("email", "invited_by", "accepted_at")
    autocomplete_fields = ("team",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # only the hub's own page can show the link
