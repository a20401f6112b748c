"""Pages whose forms start a job at once: variants, transfer, adapters."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as SentFile

from budwood.report.pages.transfer_map import cells_by_trait
from budwood.service.access.gate import caller_of
from budwood.service.embedding.routes import genome_files
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.submission import read_options, submit
from budwood.service.jobs.verbs import takes
from budwood.service.pages.layout import page
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import list_models
from budwood.service.transfers.measured import map_of, transfer_jobs, transfer_rows
from budwood.service.uploads import in_turn

router: Final = APIRouter(include_in_schema=False)
#: Verbs that a form starts, and their fields that hold several words.
_STARTED: Final = ("score-variants", "transfer-evaluate", "adapt")
_LISTS: Final = ("scores", "sizes")


@router.get("/variants")
def show_variants(request: Request) -> HTMLResponse:
    """A form that scores the variants of a VCF."""
    settings: ServiceSettings = request.app.state.settings
    return page(request, "variants.html", title="Score variants", genomes=list(genome_files(settings)))


@router.get("/transfers")
def show_transfers(request: Request) -> HTMLResponse:
    """What was measured, its map, and a form that measures another transfer."""
    settings: ServiceSettings = request.app.state.settings
    jobs = transfer_jobs(request)
    found = map_of(jobs)
    return page(
        request,
        "transfers.html",
        title="Transfer",
        models=list_models(settings),
        transfers=transfer_rows(jobs),
        traits=[] if found is None else cells_by_trait(found.record()),
        sentences=[] if found is None else found.sentences(),
    )


@router.post("/start/{verb}")
async def start(request: Request, verb: str) -> Response:
    """Start a job from a form: its files by role, its fields as options."""
    if verb not in _STARTED:
        raise Refusal(404, "no form starts this", where=verb[:80], mend="see /")
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    owner = caller_of(request.state).name
    async with request.form() as form:
        options = read_options(json.dumps(_options(verb, form)))
        uploads: dict[str, list[Any]] = {}
        for role, sent in form.multi_items():
            if isinstance(sent, SentFile) and sent.filename and takes(verb, role):
                uploads.setdefault(role, []).append(sent)
        folder = await in_turn(request, submit, settings, queue, options, uploads, owner)
    return RedirectResponse(f"/jobs/{folder.id}", 303)


def _options(verb: str, form: FormData) -> dict[str, Any]:
    """Fields of a form that are filled in, as options of the verb."""
    options: dict[str, Any] = {"verb": verb}
    for name, value in form.items():
        if not isinstance(value, str) or not value.strip():
            continue
        words = [str(each).strip() for each in form.getlist(name)]
        parts = [part.strip() for each in words for part in each.split(",")]
        options[name] = [part for part in parts if part] if name in _LISTS else words[0]
    return options
