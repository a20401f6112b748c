"""Contributions along the genome on the page, and the job that computes them."""

from __future__ import annotations

import asyncio
import shutil
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.service.access.gate import caller_of
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.routes import own_job
from budwood.service.jobs.submission import copy_draft, start_draft
from budwood.service.jobs.verbs import Attribute
from budwood.service.pages.contributions import can_attribute, read_contributions
from budwood.service.pages.layout import page
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings

router: Final = APIRouter(prefix="/jobs", include_in_schema=False)


@router.get("/{id}/genome")
def show_genome(request: Request, id: str, line: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Importance of windows along the genome, or the contributions to one line."""
    found = read_contributions(own_job(request, id), line.strip())
    return page(request, "genome.html", title=f"{found.trait} along the genome", found=found, id=id)


@router.post("/{id}/attribute")
async def start_attribution(request: Request, id: str) -> Response:
    """Start a job that splits the predictions of a finished job, from the same files."""
    folder = await asyncio.to_thread(_start, request, id)
    return RedirectResponse(f"/jobs/{folder.id}", 303)


def _start(request: Request, id: str) -> JobFolder:
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, id)
    if not can_attribute(folder):
        raise Refusal(
            422,
            "these predictions are no sums over windows",
            where=id,
            mend="predict with gblup, gblup+dna, elastic-net or bayes-c",
        )
    asked = folder.record().options
    kept = ("trait", "model", "accession_column", "ploidy", "aliases", "seed")
    options = Attribute(verb="attribute", **{name: asked[name] for name in kept if name in asked})
    draft = copy_draft(queue, folder, caller_of(request.state).name)
    try:
        return start_draft(settings, queue, draft, options)
    except BaseException:
        shutil.rmtree(draft.folder.path, ignore_errors=True)
        raise
