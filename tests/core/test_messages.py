"""Messages: said once, with a way back, and riding along with htmx answers."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.test import RequestFactory

from hub.core.messages import say
from hub.core.middleware import HtmxAnswerMiddleware


def ask(answer, *, htmx=True, text="Miro was archived.", undo=""):
    request = RequestFactory().get("/", headers={"HX-Request": "true"} if htmx else {})
    request._messages = CookieStorage(request)
    say(request, text, undo=undo)
    return HtmxAnswerMiddleware(lambda _request: answer)(request), request


def test_a_message_rides_along_out_of_band():
    answer, _request = ask(HttpResponse("<p>part</p>"), undo="/tools/miro/undo/1/")

    html = answer.content.decode()
    assert html.startswith("<p>part</p>")
    assert 'hx-swap-oob="beforeend:#messages"' in html
    assert "Miro was archived." in html
    assert '<form method="post" action="/tools/miro/undo/1/">' in html


def test_a_message_is_escaped():
    answer, _request = ask(HttpResponse(""), text="<img src=x>")

    assert "<img" not in answer.content.decode()


@pytest.mark.parametrize(
    "answer",
    [HttpResponse("a,b", content_type="text/csv"), HttpResponse(status=204), HttpResponse("no", status=500)],
    ids=["a file", "nothing to swap", "a failure"],
)
def test_an_answer_that_is_not_swapped_leaves_the_message_for_the_next_page(answer):
    before = answer.content

    after, request = ask(answer)

    assert after.content == before
    assert [str(message) for message in get_messages(request)] == ["Miro was archived."]


def test_a_page_is_left_alone():
    answer, _request = ask(HttpResponse("<p>page</p>"), htmx=False)

    assert answer.content == b"<p>page</p>"


def test_a_redirect_moves_the_whole_page():
    answer, _request = ask(HttpResponse(status=302, headers={"Location": "/tools/"}))

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/tools/")
    assert "Location" not in answer.headers


def test_an_undo_leads_nowhere_else():
    with pytest.raises(ValueError, match="path of this site"):
        say(RequestFactory().get("/"), "Done.", undo="https://evil.example/")
