"""Options of several sources: lists as a user gives them, and the sources that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from budwood.errors import BudwoodError, counted
from budwood.panel.files import PanelFiles
from budwood.workflows.transfer.options import SideOptions, panel_of, stated_provenance

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SourceLists:
    """Sources as lists of options, each given once for all sources or once for each.

    The sources are those of ``models``, then those of ``genotypes``; lists of the others are in that order,
    with None for a file that one of the sources lacks.

    Attributes
    ----------
    models
        Folders of saved trait models.
    genotypes
        Genotypes of sources without a model.
    phenotypes, references, maps
        Of the sources with genotypes alone: a saved model holds its own.
    traits
        Names of the traits in the phenotypes; that of the target where empty.
    names
        What to call the sources.
    genes, scores, orthologs, blocks
        Files, as :class:`~budwood.workflows.transfer.options.SideOptions` has them.
    provenances
        Where the phenotypes come from: field, controlled, mixed or unknown.
    """

    models: Sequence[Path] = ()
    genotypes: Sequence[Path] = ()
    phenotypes: Sequence[Path | None] = ()
    references: Sequence[Path | None] = ()
    maps: Sequence[Path | None] = ()
    traits: Sequence[str] = ()
    names: Sequence[str] = ()
    genes: Sequence[Path | None] = ()
    scores: Sequence[Path | None] = ()
    orthologs: Sequence[Path | None] = ()
    blocks: Sequence[Path | None] = ()
    provenances: Sequence[str] = ()

    def sources(self, trait: str) -> tuple[SideOptions, ...]:
        """The sources that the lists describe.

        Parameters
        ----------
        trait
            The target's trait, for sources that name none.

        Returns
        -------
        tuple of SideOptions
            Those of models first.

        Raises
        ------
        BudwoodError
            If a list has neither one value nor one for each source, files of a panel lack its genotypes, or a
            provenance is not known.
        """
        panels = self._panels()
        sides = [*((model, None) for model in self.models), *((None, panel) for panel in panels)]
        count = len(sides)
        traits = _for_each(self.traits, count, "--source-trait")
        names = _for_each(self.names, count, "--source-name")
        provenances = _for_each(self.provenances, count, "--source-provenance")
        genes = _for_each(self.genes, count, "--source-genes")
        scores = _for_each(self.scores, count, "--source-scores")
        orthologs = _for_each(self.orthologs, count, "--orthologs")
        blocks = _for_each(self.blocks, count, "--blocks")
        return tuple(
            SideOptions(
                model=model,
                files=panel,
                trait=traits[i] or trait,
                name=names[i] or "",
                genes=genes[i],
                scores=scores[i],
                orthologs=orthologs[i],
                blocks=blocks[i],
                provenance=stated_provenance(provenances[i], "--source-provenance"),
            )
            for i, (model, panel) in enumerate(sides)
        )

    def _panels(self) -> list[PanelFiles]:
        """Files of the sources without a model."""
        if not self.genotypes:
            panel_of("source", None, *(each[0] if each else None for each in self._of_panels()))
            return []
        count = len(self.genotypes)
        names = ("--source-phenotypes", "--source-reference", "--source-map")
        lists = [_for_each(each, count, name) for each, name in zip(self._of_panels(), names, strict=True)]
        made = [panel_of("source", *files) for files in zip(self.genotypes, *lists, strict=True)]
        return [panel for panel in made if panel is not None]

    def _of_panels(self) -> tuple[Sequence[Path | None], ...]:
        return self.phenotypes, self.references, self.maps


def _for_each(values: Sequence[T | None], count: int, option: str) -> list[T | None]:
    """A value for each source: the one that counts for all of them, or as many as there are."""
    if not values:
        return [None] * count
    if len(values) == 1:
        return [values[0]] * count
    if len(values) != count:
        raise BudwoodError(
            f"{option} is given {len(values)} times for {counted(count, 'source')}",
            where="command line",
            mend="give it once, or once for each source",
        )
    return [*values]
