"""What the shell around every page needs."""

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """Give every template the company's name and the place the reader is in."""
    match = request.resolver_match
    # As text: the tags that load htmx take a nonce that nobody has read yet for none at all.
    nonce = str(getattr(request, "csp_nonce", ""))
    return {"csp_nonce": nonce, "company": settings.COMPANY_NAME, "place": match.app_name if match else ""}
