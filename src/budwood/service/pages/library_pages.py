"""The model library on the page: find cards, read one, add a model."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from budwood.library.card import PROVENANCES
from budwood.library.model_facts import KINDS
from budwood.library.model_library import matching
from budwood.service.embedding.routes import genome_files
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.library.entries import card_named, library_of
from budwood.service.library.routes import add_model, remove_model
from budwood.service.library.schemas import ModelToAdd
from budwood.service.pages.layout import page
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import list_models

router: Final = APIRouter(prefix="/library", include_in_schema=False)
Words = Annotated[str, Query(max_length=200)]
Line = Annotated[str, Form(max_length=2000)]


@router.get("")
def show_library(request: Request, text: Words = "", kind: Words = "") -> HTMLResponse:
    """Cards that hold all words, and forms that add a model."""
    settings: ServiceSettings = request.app.state.settings
    cards, damaged = library_of(settings).readable_cards()
    return page(
        request,
        "library.html",
        title="Model library",
        cards=matching(cards, text, kind=kind or None),
        damaged=damaged,
        entries=len(cards),
        text=text,
        kind=kind,
        kinds=KINDS,
        models=[each["name"] for each in list_models(settings)],
        genomes=list(genome_files(settings)),
        provenances=PROVENANCES,
    )


@router.get("/{name}")
def show_card(request: Request, name: str) -> HTMLResponse:
    """One card."""
    card = card_named(request.app.state.settings, name)
    return page(request, "card.html", title=card.name, card=card)


@router.post("")
def add_entry(
    request: Request,
    name: Line,
    job: Line = "",
    saved_model: Line = "",
    species: Line = "",
    population: Line = "",
    provenance: Line = "unknown",
    note: Line = "",
) -> Response:
    """Add the model of a job, or a saved trait model, to the library."""
    try:
        wanted = ModelToAdd(
            name=name.strip(),
            job=job or None,
            saved_model=saved_model or None,
            species=species.strip(),
            population=population.strip(),
            provenance=provenance,
            note=note.strip(),
        )
    except ValidationError as error:
        raise Refusal(
            422,
            "the name is not possible",
            where="Name",
            mend="give 1 to 64 letters, digits, - and _, beginning with a letter or digit",
        ) from error
    card = add_model(request, wanted)
    return RedirectResponse(f"/library/{card.name}", 303)


@router.post("/{name}/remove")
def remove_entry(request: Request, name: str) -> Response:
    """Delete an entry."""
    remove_model(request, name)
    return RedirectResponse("/library", 303)


def makes_model(folder: JobFolder) -> bool:
    """Whether a finished job made a model that the library can keep.

    Parameters
    ----------
    folder
        The job.

    Returns
    -------
    bool
        Whether the page offers to keep it.
    """
    record = folder.record()
    made = record.verb == "adapt" or record.save_as is not None
    return made and folder.has_result()
