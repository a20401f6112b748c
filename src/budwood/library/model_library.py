"""The model library: a folder of checkpoints, adapters, trait models and fine-tuned encoders, with cards.

``LIBRARY/NAME`` is an artifact of kind ``library-entry`` that holds ``card.json`` and ``model``, a copy of
the model's folder as it was written. Entries are written whole or not at all; nothing outside them counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from budwood.artifacts import (
    MANIFEST,
    read_manifest,
    remove_folder,
    unlisted_names,
    verify_artifact,
    write_artifact,
)
from budwood.errors import BudwoodError, suggestion
from budwood.library.card import CARD, PROVENANCES, Card, check_name, check_terms, read_card, write_card
from budwood.library.model_facts import KINDS, model_facts

ENTRY: Final = "library-entry"
MODEL: Final = "model"


@dataclass(frozen=True)
class ModelLibrary:
    """A folder of models with cards.

    Attributes
    ----------
    folder
        The folder; it is made when the first model is added.
    """

    folder: Path

    @classmethod
    def existing(cls, folder: Path) -> ModelLibrary:
        """A library to read from, where a wrong path must not look like an empty library.

        Parameters
        ----------
        folder
            The folder.

        Returns
        -------
        ModelLibrary
            It may be empty.

        Raises
        ------
        BudwoodError
            If there is no such folder.
        """
        if not folder.exists():
            raise BudwoodError(
                "there is no such library",
                where=str(folder),
                mend="check the path, or make the library by adding a model to it",
            )
        return cls(folder)

    def names(self) -> tuple[str, ...]:
        """Names of the entries, sorted.

        Returns
        -------
        tuple of str
            Folders with a manifest; none where there is no library yet.

        Raises
        ------
        BudwoodError
            If the library is a file.
        """
        if not self.folder.exists():
            return ()
        if not self.folder.is_dir():
            raise BudwoodError("the library is a file", where=str(self.folder), mend="give a folder")
        found = []
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and not path.name.startswith(".") and (path / MANIFEST).is_file():
                found.append(path.name)
        return tuple(found)

    def path(self, name: str) -> Path:
        """Folder of a model, for ``--checkpoint``, ``--adapter`` and ``apply``.

        Parameters
        ----------
        name
            Name of the entry.

        Returns
        -------
        Path
            The copy of the model's folder.

        Raises
        ------
        BudwoodError
            If there is no such entry.
        """
        return self._entry(name) / MODEL

    def card(self, name: str) -> Card:
        """Card of an entry.

        Parameters
        ----------
        name
            Name of the entry.

        Returns
        -------
        Card
            What is known of the model.

        Raises
        ------
        BudwoodError
            If there is no such entry, or its card is damaged.
        """
        card = read_card(self._entry(name) / CARD)
        if card.name != name:
            raise BudwoodError(
                f"the card is of {card.name!r}",
                where=str(self._entry(name)),
                mend="rename the folder back, or export and import the entry",
            )
        return card

    def cards(self) -> tuple[Card, ...]:
        """Cards of all entries, by name.

        Returns
        -------
        tuple of Card
            One for each entry.
        """
        return tuple(self.card(name) for name in self.names())

    def readable_cards(self) -> tuple[tuple[Card, ...], tuple[str, ...]]:
        """Cards of the entries that can be read; others hide none of them.

        Returns
        -------
        tuple
            The cards, and the names of entries whose cards are damaged, each by name.
        """
        cards, damaged = [], []
        for name in self.names():
            try:
                cards.append(self.card(name))
            except BudwoodError:
                if name in self.names():  # else it was removed a moment ago
                    damaged.append(name)
        return tuple(cards), tuple(damaged)

    def add(
        self,
        model: Path,
        name: str,
        *,
        species: str = "",
        population: str = "",
        terms: Mapping[str, str] | None = None,
        environments: tuple[str, ...] = (),
        provenance: str = "unknown",
        note: str = "",
        overwrite: bool = False,
    ) -> Card:
        """Copy a model into the library, once it is certain that it is whole and opens.

        Parameters
        ----------
        model
            Folder that ``pretrain``, ``adapt``, ``finetune`` or ``predict --save-model`` wrote.
        name
            Name of the entry.
        species, population, terms, environments, provenance, note
            For the card.
        overwrite
            Whether an entry of that name may be replaced.

        Returns
        -------
        Card
            The new card.

        Raises
        ------
        BudwoodError
            If the model is foreign or damaged, or the name, a term or the provenance is not possible.
        """
        check_name(name)
        facts = model_facts(model)
        check_terms(terms or {}, facts.traits)
        if provenance not in PROVENANCES:
            raise BudwoodError(
                f"the provenance {provenance!r} is not possible",
                where="--provenance",
                mend=f"choose from {', '.join(PROVENANCES)}",
            )
        card = Card(
            name=name,
            kind=facts.kind,
            species=species,
            population=population,
            traits=facts.traits,
            terms=dict(terms or {}),
            environments=environments,
            provenance=provenance,
            accuracy=facts.accuracy,
            date=facts.date,
            digest=facts.digest,
            encoder=facts.encoder,
            budwood=facts.budwood,
            note=note,
        )
        self.store(Path(model), card, overwrite=overwrite)
        return card

    def store(self, model: Path, card: Card, *, overwrite: bool = False) -> None:
        """Write an entry whole or not at all.

        Parameters
        ----------
        model
            Folder of the model, checked before.
        card
            Its card.
        overwrite
            Whether an entry of that name may be replaced.

        Raises
        ------
        BudwoodError
            If there is an entry of that name or one that differs in capital letters only, or the folder
            cannot be written.
        """
        similar = [each for each in self.names() if each.lower() == card.name.lower() and each != card.name]
        if similar:
            raise BudwoodError(
                f"the library has an entry {similar[0]!r}", where=str(self.folder), mend="give another name"
            )
        if card.name in self.names() and not overwrite:
            raise BudwoodError(
                f"the library has an entry {card.name!r}",
                where=str(self.folder),
                mend="give another name, or replace it with --overwrite",
            )
        with write_artifact(
            self.folder / card.name,
            kind=ENTRY,
            inputs=[model / MANIFEST],
            parameters={"name": card.name, "kind": card.kind, "digest": card.digest},
            overwrite=overwrite,
        ) as draft:
            # Links would lead out of the entry; verification refuses them beforehand.
            shutil.copytree(model, draft.folder / MODEL, symlinks=True)
            write_card(draft.path(CARD), card)
            _check_entry(draft.folder, card)

    def remove(self, name: str) -> None:
        """Delete an entry, so that it is gone whole or still there.

        Parameters
        ----------
        name
            Name of the entry.

        Raises
        ------
        BudwoodError
            If there is no such entry, it holds a file that Budwood did not write, or it cannot be deleted.
        """
        entry = self._entry(name)
        foreign = unlisted_names(entry, read_manifest(entry))
        if foreign:
            raise BudwoodError(
                f"the entry holds what budwood did not write: {foreign[0]}",
                where=str(entry),
                mend="move it elsewhere",
            )
        try:
            remove_folder(entry)
        except OSError as error:
            raise BudwoodError(
                f"the entry cannot be removed: {error.strerror}",
                where=str(entry),
                mend="ask who owns the library",
            ) from error

    def problems(self, name: str) -> list[str]:
        """What is wrong with an entry: its files, its card, and its model, which is opened.

        Parameters
        ----------
        name
            Name of the entry.

        Returns
        -------
        list of str
            Sentences; empty where nothing is wrong.
        """
        entry = self._entry(name)
        try:
            found = verify_artifact(entry)
            card = self.card(name)
            facts = model_facts(entry / MODEL)
        except BudwoodError as error:
            return [error.sentence]
        if facts.digest != card.digest or facts.kind != card.kind:
            found.append("the card is of another model")
        return found

    def search(
        self, text: str = "", *, kind: str | None = None, species: str | None = None, trait: str | None = None
    ) -> tuple[Card, ...]:
        """Entries whose cards hold all words, in any field and any case.

        Parameters
        ----------
        text
            Words; all entries where empty.
        kind
            One of KINDS.
        species, trait
            Part of the species' name; part of a trait's name or term.

        Returns
        -------
        tuple of Card
            By name.

        Raises
        ------
        BudwoodError
            If there is no such kind, or a card is damaged.
        """
        return matching(self.cards(), text, kind=kind, species=species, trait=trait)

    def _entry(self, name: str) -> Path:
        check_name(name)
        if name not in self.names():
            mend = suggestion(name, self.names()) if self.names() else "add a model first"
            raise BudwoodError(f"the library has no entry {name!r}", where=str(self.folder), mend=mend)
        entry = self.folder / name
        if entry.is_symlink() or read_manifest(entry)["kind"] != ENTRY:
            raise BudwoodError(
                "this folder is no entry of a library", where=str(entry), mend="move it elsewhere"
            )
        return entry


def matching(
    cards: Iterable[Card],
    text: str = "",
    *,
    kind: str | None = None,
    species: str | None = None,
    trait: str | None = None,
) -> tuple[Card, ...]:
    """Cards that hold all words, in any field and any case.

    Parameters
    ----------
    cards
        To choose from.
    text
        Words; all cards where empty.
    kind
        One of KINDS.
    species, trait
        Part of the species' name; part of a trait's name or term.

    Returns
    -------
    tuple of Card
        In their order.

    Raises
    ------
    BudwoodError
        If there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise BudwoodError(f"there is no kind {kind!r}", where="--kind", mend=suggestion(kind, KINDS))
    found = []
    for card in cards:
        everything = "\n".join(card.lines()).lower()
        named = " ".join([*card.traits, *card.terms.values()]).lower()
        if (
            all(word in everything for word in text.lower().split())
            and kind in (None, card.kind)
            and (species is None or species.lower() in card.species.lower())
            and (trait is None or trait.lower() in named)
        ):
            found.append(card)
    return tuple(found)


def _check_entry(folder: Path, card: Card) -> None:
    """Refuse a copy that is not the model of the card: it may have changed while it was copied."""
    problems = verify_artifact(folder / MODEL)
    if problems or read_manifest(folder / MODEL).get("digest") != card.digest:
        raise BudwoodError(
            f"the model changed while it was copied: {problems[0] if problems else MANIFEST}",
            where=card.name,
            mend="add it again when nothing writes to it",
        )
