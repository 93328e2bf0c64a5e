"""Which tool for this job."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from hub.core.http import Request, render_page
from tooling.models import Capability, Tool
from tooling.queries import candidates, guide


@require_safe
def capability_list(request: Request) -> HttpResponse:
    """The guide: every job, and the tool that is the standard for it; `?only=gaps` or `doubles` narrows it."""
    families = guide()
    only = request.GET.get("only", "")
    lines = [line for _family, jobs in families for line in jobs]
    if only in ("gaps", "doubles"):
        wanted = {line.job.pk for line in lines if (line.is_gap if only == "gaps" else line.is_double)}
        families = [(family, [line for line in jobs if line.job.pk in wanted]) for family, jobs in families]
        families = [(family, jobs) for family, jobs in families if jobs]
    context = {
        "families": families,
        "only": only,
        "job_count": len(lines),
        "gap_count": sum(line.is_gap for line in lines),
        "double_count": sum(line.is_double for line in lines),
        "standard_count": sum(bool(line.standards) for line in lines),
    }
    return render_page(request, "tooling/capability_list.html", context)


@require_safe
def capability_detail(request: Request, slug: str) -> HttpResponse:
    """One job: the standard, when not to pick it, the alternatives and where each stands."""
    job = get_object_or_404(Capability.objects.jobs().select_related("parent"), slug=slug)
    found = candidates(job)
    ours = [row for row in found if not row.tool.is_over and not row.tool.is_starter]
    standards = [row for row in ours if row.decision and row.decision.ring == Tool.Ring.ADOPT]
    context = {
        "job": job,
        "standards": standards,
        "others": [row for row in ours if row not in standards],
        "suggestions": [row for row in found if row.tool.is_starter and not row.tool.is_over],
        "past": [row for row in found if row.tool.is_over],
        "today": timezone.localdate(),
        "can_decide": request.user.has_perm("tooling.change_standing"),
    }
    return render_page(request, "tooling/capability_detail.html", context)
