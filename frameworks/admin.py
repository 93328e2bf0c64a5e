"""The library, for repair."""

from typing import TYPE_CHECKING

from django.contrib import admin

from .models import Page

if TYPE_CHECKING:
    PageModelAdmin = admin.ModelAdmin[Page]
else:
    PageModelAdmin = admin.ModelAdmin


@admin.register(Page)
class PageAdmin(PageModelAdmin):
    list_display = ["title", "kind", "owner", "review_on"]
    list_filter = ["kind"]
    list_select_related = ["owner"]
    search_fields = ["title", "summary"]
    autocomplete_fields = ["owner"]
