"""``budwood library``: a folder of checkpoints, adapters, trait models and fine-tuned encoders with cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import print_summary
from budwood.cli.verb import Verb
from budwood.config import library_directory
from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.library.card import Card
    from budwood.library.model_library import ModelLibrary

EXAMPLE: Final = (
    "Example: budwood library add models/height rice-height --species 'Oryza sativa' "
    "--term height=CO_320:0000074"
)

app = typer.Typer(
    help="Keep models with cards in a folder: add, find, share, check, remove.", no_args_is_help=True
)

Library = Annotated[
    Path | None,
    typer.Option(
        "--library", metavar="DIR", help="Folder of the library; that of BUDWOOD_LIBRARY, or the user's own."
    ),
]
EntryName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the entry.")]
Terms = Annotated[
    list[str] | None,
    typer.Option(
        "--term",
        metavar="TRAIT=TERM",
        help="Term of the Crop Ontology or Trait Ontology, such as TO:0000207.",
    ),
]


@app.command(epilog=EXAMPLE, cls=Verb)
def add(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="Folder that pretrain, adapt, finetune, predict --save-model or transfer evaluate wrote.",
        ),
    ],
    name: EntryName,
    library: Library = None,
    species: Annotated[str, typer.Option("--species", help="Species it was trained on.")] = "",
    population: Annotated[str, typer.Option("--population", help="Panel or population.")] = "",
    term: Terms = None,
    environment: Annotated[
        list[str] | None, typer.Option("--environment", help="Environment of the trait values; several.")
    ] = None,
    provenance: Annotated[
        str, typer.Option("--provenance", help="field, controlled, mixed, sequence or unknown.")
    ] = "unknown",
    note: Annotated[str, typer.Option("--note", help="Anything else.")] = "",
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Copy a model into the library with a card; a foreign or damaged one is refused."""
    card = _library(library).add(
        model,
        name,
        species=species,
        population=population,
        terms=_terms(term),
        environments=tuple(environment or ()),
        provenance=provenance,
        note=note,
        overwrite=overwrite,
    )
    print_summary(card.record(), card.lines(), as_json=as_json)


@app.command("list", epilog="Example: budwood library list --library models", cls=Verb)
def list_entries(
    library: Library = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """List all entries."""
    found = _existing(library)
    _print_cards(found, *found.readable_cards(), as_json=as_json)


@app.command(epilog="Example: budwood library search rice --kind trait-model", cls=Verb)
def search(
    text: Annotated[
        str, typer.Argument(metavar="WORDS", help="Words that the card holds, all of them.")
    ] = "",
    library: Library = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="checkpoint, adapter, trait-model, fine-tuned or transfer-evaluate."),
    ] = None,
    species: Annotated[str | None, typer.Option("--species", help="Part of the species' name.")] = None,
    trait: Annotated[str | None, typer.Option("--trait", help="Part of a trait's name, or its term.")] = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Find entries by words, kind, species and trait."""
    from budwood.library.model_library import matching

    searched = _existing(library)
    cards, damaged = searched.readable_cards()
    found = matching(cards, text, kind=kind, species=species, trait=trait)
    _print_cards(searched, found, damaged, as_json=as_json)


@app.command(epilog="Example: budwood library show rice-height", cls=Verb)
def show(
    name: EntryName, library: Library = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Print the card of an entry, and the folder to give to --checkpoint, --adapter or apply."""
    found = _existing(library)
    card, path = found.card(name), found.path(name)
    print_summary({**card.record(), "path": str(path)}, [*card.lines(), f"  folder: {path}"], as_json=as_json)


@app.command(epilog="Example: budwood library export rice-height rice-height.tar.gz", cls=Verb)
def export(
    name: EntryName,
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write, NAME.tar.gz.")],
    library: Library = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Write an entry as one file, for another library."""
    from budwood.library.archive import export_entry

    export_entry(_existing(library), name, archive, overwrite=overwrite)
    print_summary({"archive": str(archive)}, [f"archive: {archive}"], as_json=as_json)


@app.command("import", epilog="Example: budwood library import rice-height.tar.gz", cls=Verb)
def import_archive(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that library export wrote.")],
    library: Library = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the entry; the one it had if not given.")
    ] = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Add the entry of an archive, once everything in it was checked."""
    from budwood.library.archive import import_entry

    card = import_entry(_library(library), archive, name=name, overwrite=overwrite)
    print_summary(card.record(), card.lines(), as_json=as_json)


@app.command(epilog="Example: budwood library remove rice-height", cls=Verb)
def remove(
    name: EntryName, library: Library = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Delete an entry from the library; the folder that it was copied from stays."""
    _existing(library).remove(name)
    print_summary({"removed": name}, [f"removed: {name}"], as_json=as_json)


@app.command(epilog="Example: budwood library verify rice-height", cls=Verb)
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Entries; all if not given.")
    ] = None,
    library: Library = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Check that entries are complete, unchanged and open; exit code 1 if one is not."""
    found = _existing(library)
    problems = {name: found.problems(name) for name in (names or found.names())}
    lines = [
        f"{name}: {'as it was written' if not each else '; '.join(each)}" for name, each in problems.items()
    ]
    print_summary({"problems": problems}, lines or [_empty(found)], as_json=as_json)
    if any(problems.values()):
        raise typer.Exit(1)


def _library(folder: Path | None) -> ModelLibrary:
    from budwood.library.model_library import ModelLibrary

    return ModelLibrary(library_directory() if folder is None else folder)


def _existing(folder: Path | None) -> ModelLibrary:
    """A library to read: one that is named must be there, the user's own may not be made yet."""
    from budwood.library.model_library import ModelLibrary

    return _library(None) if folder is None else ModelLibrary.existing(folder)


def _empty(library: ModelLibrary) -> str:
    return f"the library is empty: {library.folder}"


def _terms(words: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words or ():
        trait, _, term = word.rpartition("=")
        if not trait or trait in found:
            raise BudwoodError(
                f"{word!r} is not understood", where="--term", mend="write TRAIT=TERM once each"
            )
        found[trait] = term
    return found


def _print_cards(
    library: ModelLibrary, cards: Sequence[Card], damaged: Sequence[str], *, as_json: bool
) -> None:
    lines = [
        "  ".join(
            part
            for part in (card.name, card.kind, card.species, ", ".join(card.traits), card.date[:10])
            if part
        )
        for card in cards
    ]
    lines = lines or ["nothing found" if library.names() else _empty(library)]
    lines += [f"the card of {name} cannot be read: see budwood library verify {name}" for name in damaged]
    record = {"entries": [card.record() for card in cards], "damaged": list(damaged)}
    print_summary(record, lines, as_json=as_json)
