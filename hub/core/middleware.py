"""Answers that htmx can use as they are."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class HtmxAnswerMiddleware:
    """Turn a redirect answered to htmx into `HX-Location`, so that the browser's address follows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.headers.get("HX-Request") == "true" and answer.status_code in (301, 302, 303):
            location = answer.headers.pop("Location")
            answer.status_code = 204
            answer.headers["HX-Redirect"] = location
        return answer
