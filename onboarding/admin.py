"""Journeys, for repair."""

from typing import TYPE_CHECKING

from django.contrib import admin

from .models import Journey

if TYPE_CHECKING:
    JourneyModelAdmin = admin.ModelAdmin[Journey]
else:
    JourneyModelAdmin = admin.ModelAdmin


@admin.register(Journey)
class JourneyAdmin(JourneyModelAdmin):
    list_display = ["title", "owner", "length_days"]
    list_select_related = ["owner"]
    search_fields = ["title", "summary"]
    autocomplete_fields = ["owner"]
