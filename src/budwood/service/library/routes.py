"""``/v1/library``: models with cards, and models that are added to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from budwood.library.card import Card
from budwood.library.model_library import matching
from budwood.service import schemas
from budwood.service.access.gate import caller_of
from budwood.service.access.scopes import Scope
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.routes import own_job
from budwood.service.jobs.states import State
from budwood.service.library.entries import card_named, library_of
from budwood.service.library.schemas import LibraryEntries, LibraryEntry, ModelToAdd
from budwood.service.refusal import Refusal
from budwood.service.server_paths import named_from
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import saved_model_named

router: Final = APIRouter(prefix="/v1/library", tags=["model library"], responses=schemas.ERRORS)
Words = Annotated[str | None, Query(max_length=200)]


@router.get("", response_model=LibraryEntries)
def list_entries(
    request: Request, text: Words = None, kind: Words = None, species: Words = None, trait: Words = None
) -> dict[str, Any]:
    """Cards that hold all words, by kind, species and trait, as ``budwood library search`` finds them."""
    settings: ServiceSettings = request.app.state.settings
    cards, damaged = library_of(settings).readable_cards()
    found = matching(cards, text or "", kind=kind, species=species, trait=trait)
    return {"entries": [card.record() for card in found], "damaged": list(damaged)}


@router.get("/{name}", response_model=LibraryEntry)
def show_entry(request: Request, name: str) -> dict[str, Any]:
    """One card."""
    return card_named(request.app.state.settings, name).record()


@router.post("", status_code=201, response_model=LibraryEntry)
def add_entry(request: Request, wanted: ModelToAdd) -> dict[str, Any]:
    """Copy the adapter or trait model of a finished job, or a saved trait model, into the library."""
    return add_model(request, wanted).record()


@router.delete("/{name}", status_code=204)
def remove_entry(request: Request, name: str) -> None:
    """Delete an entry; needs the scope admin. The folder that it was copied from stays."""
    remove_model(request, name)


def remove_model(request: Request, name: str) -> None:
    """Delete an entry of the library.

    Parameters
    ----------
    request
        Who asks.
    name
        Name of the entry.

    Raises
    ------
    Refusal
        If the caller may not remove models, or there is no such entry.
    """
    settings: ServiceSettings = request.app.state.settings
    if Scope.ADMIN not in caller_of(request.state).scopes:
        raise Refusal(403, "the key lacks the scope admin", mend="ask who runs the service")
    library = library_of(settings)
    with named_from(settings.library_folder):
        if name not in library.names():
            raise Refusal(404, f"the library has no entry {name!r}", mend="see GET /v1/library")
        library.remove(name)


def add_model(request: Request, wanted: ModelToAdd) -> Card:
    """Copy a model of the service into its library.

    Parameters
    ----------
    request
        Who asks.
    wanted
        Which model, and what its card says.

    Returns
    -------
    Card
        The new card.

    Raises
    ------
    Refusal
        If the caller may not add models, the name is taken, or there is no such model.
    """
    settings: ServiceSettings = request.app.state.settings
    if Scope.JOBS not in caller_of(request.state).scopes:
        raise Refusal(403, "the key lacks the scope jobs", mend="ask who runs the service for it")
    library = library_of(settings)
    if wanted.name in library.names():
        raise Refusal(
            409, f"the library has an entry {wanted.name!r}", where="name", mend="choose another name"
        )
    model = _model_folder(request, wanted)
    with named_from(settings.library_folder), named_from(model.parent), named_from(settings.folder):
        return library.add(
            model,
            wanted.name,
            species=wanted.species,
            population=wanted.population,
            terms=wanted.terms,
            environments=tuple(wanted.environments),
            provenance=wanted.provenance,
            note=wanted.note,
        )


def _model_folder(request: Request, wanted: ModelToAdd) -> Path:
    """Where the model is that a request names."""
    if (wanted.job is None) == (wanted.saved_model is None):
        raise Refusal(422, "it is not clear which model", where="job", mend="give job or saved_model")
    if wanted.saved_model is not None:
        return saved_model_named(request.app.state.settings, wanted.saved_model)
    queue: JobQueue = request.app.state.queue
    folder = own_job(request, str(wanted.job))
    for path in (folder.path / "model", folder.result):
        if queue.standing(folder).state is State.DONE and path.is_dir():
            return path
    raise Refusal(409, "the job holds no model", where=folder.id, mend="name a finished job that made one")
