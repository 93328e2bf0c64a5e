"""The page of the journeys."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hub.core.http import Request, paginate, render_page

from .models import Journey


@require_safe
def journeys(request: Request) -> HttpResponse:
    """List the journeys, and say what will be here."""
    page = paginate(request, Journey.objects.select_related("owner"))
    return render_page(request, "onboarding/journeys.html", {"page": page})
