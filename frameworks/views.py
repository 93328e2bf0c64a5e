"""The library's page."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hub.core.http import Request, paginate, render_page

from .models import Page


@require_safe
def library(request: Request) -> HttpResponse:
    """List the library's pages, and say what will be here."""
    return render_page(
        request, "frameworks/library.html", {"page": paginate(request, Page.objects.select_related("owner"))}
    )
