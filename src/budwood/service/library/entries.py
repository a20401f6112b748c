"""The model library of a service: its cards, and adapters that jobs use."""

from __future__ import annotations

from pathlib import Path

from budwood.errors import BudwoodError
from budwood.library.card import Card
from budwood.library.model_facts import ADAPTER
from budwood.library.model_library import ModelLibrary
from budwood.service.refusal import Refusal
from budwood.service.server_paths import named_from
from budwood.service.settings import ServiceSettings


def library_of(settings: ServiceSettings) -> ModelLibrary:
    """The library of a service.

    Parameters
    ----------
    settings
        Name the folder.

    Returns
    -------
    ModelLibrary
        Empty where the folder does not exist.
    """
    return ModelLibrary(settings.library_folder)


def card_named(settings: ServiceSettings, name: str) -> Card:
    """Card of an entry.

    Parameters
    ----------
    settings
        Name the folder.
    name
        As a request gives it.

    Returns
    -------
    Card
        What is known of the model.

    Raises
    ------
    Refusal
        With status 404 if there is no such entry.
    """
    library = library_of(settings)
    with named_from(settings.library_folder):
        try:
            return library.card(name)
        except BudwoodError as error:
            if name in library.names():
                raise
            raise Refusal(404, error.what, mend=error.mend) from error


def adapter_named(settings: ServiceSettings, name: str) -> Path:
    """Folder of an adapter in the library.

    Parameters
    ----------
    settings
        Name the folder.
    name
        As a request gives it.

    Returns
    -------
    Path
        The adapter.

    Raises
    ------
    Refusal
        If there is no such entry, or it is no adapter.
    """
    card = card_named(settings, name)
    if card.kind != ADAPTER:
        raise Refusal(
            422,
            f"{name!r} is of kind {card.kind}, not an adapter",
            where="adapter",
            mend="see GET /v1/library?kind=adapter",
        )
    return library_of(settings).path(name)
