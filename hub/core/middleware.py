"""Room to work in, addresses that the database can be asked about, answers that htmx can use as they are."""

from collections.abc import Callable

from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from .stack import with_room


class RoomMiddleware:
    """Answer with room on the stack, so that no page is slow for the depth at which the server calls us."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return with_room(self.get_response, request)


class AddressMiddleware:
    """Refuse an address with a NUL in its path or query: no text of ours holds one, and PostgreSQL takes none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in the address")
        return self.get_response(request)


class HtmxAnswerMiddleware:
    """Turn a redirect answered to htmx into a move of the whole page, and let waiting messages ride along."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.headers.get("HX-Request") != "true":
            return answer
        if answer.status_code in (301, 302, 303):
            answer.headers["HX-Redirect"] = answer.headers["Location"]
            del answer.headers["Location"]  # its pop() would give the name, too
            answer.status_code = 204
        elif is_swapped(answer):
            add_messages(request, answer)
        return answer


def is_swapped(answer: HttpResponse) -> bool:
    """Tell whether htmx will put this answer into the page."""
    is_html = answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code in (200, 422) and is_html and not answer.streaming


def add_messages(request: HttpRequest, answer: HttpResponse) -> None:
    """Append the messages that no template of this answer has shown yet, out of band."""
    waiting = get_messages(request)
    if not isinstance(waiting, BaseStorage) or waiting.used or not len(waiting):
        return
    answer.content += render_to_string("components/messages_oob.html", {"messages": waiting}, request).encode()
    if answer.has_header("Content-Length"):
        answer.headers["Content-Length"] = str(len(answer.content))
