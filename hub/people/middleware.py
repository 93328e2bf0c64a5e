"""The reader's own language, and when they were here."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from .models import User

NOTE_VISIT_EVERY = timedelta(minutes=15)


class LanguageMiddleware:
    """Speak the language the person chose; a stranger's comes from the cookie, then from the browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") if request.user.is_authenticated else ""
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
            request.LANGUAGE_CODE = translation.get_language()
            answer = self.get_response(request)
            if hasattr(answer, "render") and not getattr(answer, "is_rendered", True):
                answer.render()
        answer.headers.setdefault("Content-Language", language)
        return answer


class VisitMiddleware:
    """Note when a person was last here, at most once in a quarter of an hour."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if isinstance(person, User):
            now = timezone.now()
            if person.last_visit_at is None or now - person.last_visit_at >= NOTE_VISIT_EVERY:
                person.start_visit(at=now)
        return self.get_response(request)
