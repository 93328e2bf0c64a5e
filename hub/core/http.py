"""The request as views see it, and the one way a page is answered."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from hub.people.models import User

ROWS_PER_PAGE = 50
ROW = "9876543210"  # stands for a row's id or slug in a pattern of addresses
Row = TypeVar("Row")


class Request(HttpRequest):
    """A request behind the login wall, with htmx details."""

    user: "User"
    htmx: "HtmxDetails"


def render_page(
    request: Request,
    template: str,
    context: Mapping[str, object],
    *,
    partials: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only the partial that htmx asks to swap.

    A partial is served when the `HX-Target` id is one of `partials`; a history
    restore always gets the whole page.
    """
    target = request.htmx.target
    if target in partials and not request.htmx.history_restore_request:
        template = f"{template}#{target}"
    answer = TemplateResponse(request, template, dict(context), status=status)
    patch_vary_headers(answer, ("HX-Request", "HX-Target"))
    return answer


def paginate(
    request: HttpRequest, rows: "QuerySet[Any, Row]", *, per_page: int = ROWS_PER_PAGE, count: int | None = None
) -> "Page[Row]":
    """Return the page of `rows` that `?page=` names; a page out of range is the nearest one.

    `count` is how many rows there are, where that is known already.
    """
    paginator = Paginator(rows, per_page)
    if count is not None:
        paginator.__dict__["count"] = count  # a cached property: it need not ask
    return paginator.get_page(request.GET.get("page"))


def row_id(text: str) -> int | None:
    """Return a row's id as a request names it; None for anything that is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def address_of(name: str, *before: object, after: Iterable[object] = ()) -> Callable[[int | str], str]:
    """Return what gives the address of a row by its id or slug, as `reverse` does but looked up once for all rows.

    `before` and `after` are the address's other arguments.
    """
    start, end = _around_row(name, before, tuple(after), get_urlconf(), get_script_prefix())
    return lambda key: f"{start}{key}{end}"


@lru_cache(maxsize=256)
def _around_row(
    name: str, before: tuple[object, ...], after: tuple[object, ...], urlconf: str | None, _prefix: str
) -> tuple[str, str]:
    start, end = reverse(name, urlconf, [*before, ROW, *after]).rsplit(ROW, 1)
    return start, end


def unprocessable(request: HttpRequest, says: str) -> HttpResponse:
    """Answer 422 to what no form of ours would send; `says`, one sentence, tells what was wrong with it."""
    return TemplateResponse(request, "422.html", {"says": says}, status=422)
