"""Saved models on the page: what there is, and new lines for them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.service.access.gate import caller_of
from budwood.service.embedding.routes import genome_files
from budwood.service.jobs.submission import submit
from budwood.service.jobs.verbs import Apply
from budwood.service.pages.layout import page
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import list_models, saved_model_named
from budwood.service.uploads import in_turn

router: Final = APIRouter(prefix="/models", include_in_schema=False)


@router.get("")
def show_models(request: Request) -> HTMLResponse:
    """Saved models, each with a form for new lines."""
    settings: ServiceSettings = request.app.state.settings
    return page(
        request,
        "models.html",
        title="Saved models",
        models=list_models(settings),
        genomes=list(genome_files(settings)),
    )


@router.post("/{name}/apply")
async def apply_to_new_lines(
    request: Request,
    name: str,
    genotypes: Annotated[list[UploadFile], File()],
    reference: Annotated[UploadFile | None, File()] = None,
    genome: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Start a job that predicts new lines."""
    settings: ServiceSettings = request.app.state.settings
    saved_model_named(settings, name)
    uploads = {"genotypes": [file for file in genotypes if file.filename]}
    if not uploads["genotypes"]:
        raise Refusal(422, "no genotypes were chosen", where="Genotypes", mend="choose a file and try again")
    if reference is not None and reference.filename:
        uploads["reference"] = [reference]
    options = Apply(verb="apply", saved_model=name, genome=genome or None)
    owner = caller_of(request.state).name
    folder = await in_turn(request, submit, settings, request.app.state.queue, options, uploads, owner)
    return RedirectResponse(f"/jobs/{folder.id}", 303)
