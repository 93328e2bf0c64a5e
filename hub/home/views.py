"""Front pages and the shell's own acts."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hub.core.http import Request, render_page


@require_safe
def home(request: Request) -> HttpResponse:
    """Show what waits for the reader, by role."""
    return render_page(request, "hub/home.html", {})
