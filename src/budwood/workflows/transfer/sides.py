"""Both sides of a transfer, read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from budwood.errors import BudwoodError
from budwood.workflows.transfer.options import SideOptions

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from budwood.genomics.genotypes import Genotypes, Markers
    from budwood.genomics.haplotypes.table import HaplotypeTable
    from budwood.panel.panel import Panel
    from budwood.prediction.fitted_trait_model import FittedTraitModel
    from budwood.transfer.locus_map import LocusMap

    Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One side of a transfer.

    Attributes
    ----------
    genotypes
        Its lines.
    rows, y
        Rows with a trait value, and the values.
    name, trait, provenance
        What it is called, its trait, and where the values come from (empty where not known).
    panel
        What was read; None for a saved model.
    fitted
        The saved model; None for files.
    digest
        Of the saved model's manifest, by which a library knows it; empty for files.
    notes
        What was read and assumed.
    """

    genotypes: Genotypes
    rows: NDArray[np.intp]
    y: Vector
    name: str
    trait: str
    provenance: str
    panel: Panel | None = None
    fitted: FittedTraitModel | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()


def read_side(options: SideOptions) -> Side:
    """Read genotypes and phenotypes of a side.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or too few lines have a value.
    """
    from budwood.panel.files import read_panel
    from budwood.prediction.phenotyped import match_phenotyped
    from budwood.workflows.records.read_notes import identity_notes, read_notes
    from budwood.workflows.traits.trait_values import trait_values

    files = options.files
    assert files is not None, "a side that is no saved model has files"
    if files.phenotypes is None:
        raise BudwoodError("a side needs phenotypes", where=str(files.genotypes), mend="give them as well")
    panel = read_panel(files, options.trait)
    values = trait_values(panel, files, options.trait).unweighted()
    lines = match_phenotyped(panel.genotypes, values.values, options.trait)
    stated = "" if panel.phenotypes is None else panel.phenotypes.provenance
    notes = (*identity_notes(panel), *read_notes(panel), *values.notes, *lines.notes)
    return Side(
        genotypes=panel.genotypes,
        rows=lines.rows,
        y=lines.y,
        name=options.name or files.genotypes.name.split(".")[0],
        trait=options.trait,
        provenance=options.provenance or stated or _of_environments(panel),
        panel=panel,
        notes=notes,
    )


def open_side(options: SideOptions) -> Side:
    """A side from its files, or the training lines of its saved model.

    Raises
    ------
    BudwoodError
        If a file or the model cannot be used, or too few lines have a value.
    """
    return read_side(options) if options.model is None else saved_side(options)


def saved_side(options: SideOptions) -> Side:
    """The training lines of a saved model.

    Raises
    ------
    BudwoodError
        If the folder holds no saved model.
    """
    import numpy as np

    from budwood.artifacts import read_manifest
    from budwood.genomics.genotypes import Genotypes
    from budwood.prediction.trait_model import TraitModel

    assert options.model is not None, "checked with the options"
    fitted = TraitModel.load(options.model)
    training = fitted.training
    genotypes = Genotypes(training.accessions, training.markers, training.dosage, training.ploidy)
    return Side(
        genotypes=genotypes,
        rows=np.arange(len(fitted.observed)),
        y=fitted.observed,
        name=options.name or _saved_name(options.model),
        trait=fitted.trait or options.trait,
        provenance=options.provenance,
        fitted=fitted,
        digest=str(read_manifest(options.model).get("digest") or ""),
        notes=fitted.notes,
    )


def _saved_name(folder: Path) -> str:
    """What a saved model is called: its folder, or its entry where it lies in a library."""
    from budwood.library.card import CARD
    from budwood.library.model_library import MODEL

    if folder.name == MODEL and (folder.parent / CARD).is_file():
        return folder.parent.name
    return folder.name


def read_loci(
    ours: SideOptions, theirs: SideOptions, reach: int, source: Markers, target: Markers
) -> LocusMap | None:
    """Loci that both sides have: orthologous genes, or windows where both are on one genome build.

    Parameters
    ----------
    ours, theirs
        The source, with its gene pairs, and the target.
    reach
        Bases on either side of a gene whose markers belong to it; a window has twice as many.
    source, target
        Markers of each.

    Returns
    -------
    LocusMap or None
        None where there are no gene pairs and the markers are on different builds.

    Raises
    ------
    BudwoodError
        If a table cannot be read or no pair has both genes.
    """
    from budwood.genomics.checks.marker_match import match_markers
    from budwood.genomics.io.tables.genes.gene_pairs import (
        oriented_pairs,
        read_collinear_pairs,
        read_gene_pairs,
    )
    from budwood.genomics.io.tables.genes.gene_places import read_gene_places
    from budwood.transfer.heads import FEWEST_SHARED
    from budwood.transfer.locus_map import orthologous_loci, window_loci

    pairs_file = ours.pairs
    if pairs_file is None:
        match = match_markers(source, target)
        if match.by_place and match.share >= FEWEST_SHARED:
            return window_loci([source, target], size=max(2 * reach, 1000))
        return None
    assert ours.genes is not None, "checked with the options"
    assert theirs.genes is not None, "checked with the options"
    here, there = read_gene_places(ours.genes), read_gene_places(theirs.genes)
    if ours.orthologs is not None:
        read = read_gene_pairs(pairs_file, here.keys() | there.keys())
    else:
        read = read_collinear_pairs(pairs_file)
    pairs = oriented_pairs(read, set(here), set(there))
    if not any(one in here and other in there for one, other in pairs):
        raise BudwoodError(
            "no gene pair joins a gene of the source's table and one of the target's",
            where=str(pairs_file),
            mend="check that gene names are spelled alike in the pairs and in both gene tables, and that the "
            "first two columns of the pairs are these two species",
        )
    kind = "orthologous genes" if ours.orthologs is not None else "collinear genes"
    return orthologous_loci(pairs, here, there, kind)


def read_variant_scores(options: SideOptions, markers: Markers) -> tuple[Vector | None, tuple[str, ...]]:
    """How damaging each marker is, by table; None without one.

    Raises
    ------
    BudwoodError
        If a score is negative, or no marker has one.
    """
    if options.scores is None:
        return None, ()
    import numpy as np

    from budwood.genomics.io.tables.accession_table import read_accession_numbers

    table = read_accession_numbers(options.scores, row="marker")
    below = next((name for name, score in table.items() if score < 0.0), None)
    if below is not None:
        raise BudwoodError(
            f"marker {below!r} has a score below 0, {table[below]:g}",
            where=str(options.scores),
            mend="write 0 for harmless variants and larger scores for more damaging ones",
        )
    scores = np.array([table.get(str(name), 0.0) for name in markers.identifier])
    if not (scores > 0.0).any():
        raise BudwoodError(
            "no marker of the genotypes has a score above 0",
            where=str(options.scores),
            mend="write marker names as in the genotypes, and larger scores for more damaging variants",
        )
    known = sum(str(name) in table for name in markers.identifier)
    return scores, (f"{known:,} of {len(markers):,} markers have a score, the others count as harmless.",)


def read_side_haplotypes(side: Side, options: SideOptions) -> HaplotypeTable:
    """Window sequences of a side's lines, in their order.

    Parameters
    ----------
    side, options
        The lines and their reference genome.

    Raises
    ------
    BudwoodError
        If the alleles do not fit the reference.
    """
    from budwood.panel.files import read_files_haplotypes

    assert options.files is not None, "checked by the caller"
    found = read_files_haplotypes(options.files)
    assert found is not None, "checked by the caller"
    return found.table.take(list(side.genotypes.accessions))


def _of_environments(panel: Panel) -> str:
    """Provenance of the environments, where their table states one for all."""
    if panel.environments is None:
        return ""
    stated = {each for each in panel.environments.provenance if each}
    return stated.pop() if len(stated) == 1 else ("mixed" if stated else "")
