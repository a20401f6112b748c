"""From genes known for a trait to a comparison with GBLUP, and marker weights to predict with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.threads import blas_threads
from budwood.workflows.traits.trait_values import trait_values

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.interval import Interval
    from budwood.panel.panel import Panel
    from budwood.prediction.evaluation.results import PairedDifference
    from budwood.transfer.gene_knowledge import GeneKnowledge


@dataclass(frozen=True, kw_only=True)
class GenesOptions:
    """Which genes, for which trait, and how to compare.

    Attributes
    ----------
    files
        Genotypes with marker places, and phenotypes.
    trait
        Trait to predict.
    places
        Annotation, or table of genes with their places.
    known
        Lists of genes known for the trait, or tables of genes and terms; a gene in several counts more.
    terms
        Text that rows of the tables must hold, once for all of them or once for each; every row counts where
        None.
    orthologs, blocks
        Where the known genes are another species': a table whose first two columns are a gene of each
        species, or collinear blocks of MCScanX. One of the two at most.
    reach
        Bases on either side of a gene.
    draws
        Sets of random genes.
    folds, repeats
        Random divisions of the phenotyped lines.
    seed
        Of folds and random genes.
    csv_dialect
        How tables are written.
    """

    files: PanelFiles
    trait: str
    places: Path
    known: tuple[Path, ...]
    terms: tuple[str | None, ...] = ()
    orthologs: Path | None = None
    blocks: Path | None = None
    reach: int = 25_000
    draws: int = 3
    folds: int = 5
    repeats: int = 2
    seed: int = 0
    csv_dialect: CsvDialect = CsvDialect.PLAIN

    def __post_init__(self) -> None:
        if not self.known:
            raise BudwoodError("no known genes are given", where="--known", mend="give a list or a table")
        if len(self.terms) not in (0, 1, len(self.known)):
            raise BudwoodError(
                f"there are {len(self.terms)} terms for {counted(len(self.known), 'list')} of known genes",
                where="--term",
                mend="give one for all lists, or one for each ('-' for a list that counts whole)",
            )
        if self.orthologs is not None and self.blocks is not None:
            raise BudwoodError(
                "orthologs and collinear blocks are both given",
                where="--orthologs and --blocks",
                mend="give one of the two",
            )

    @property
    def pairs(self) -> Path | None:
        """File of the gene pairs, None where the known genes are this species' own."""
        return self.orthologs if self.orthologs is not None else self.blocks

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        pairs = [self.pairs] if self.pairs is not None else []
        return [*self.files.inputs, self.places, *self.known, *pairs]

    @property
    def term_of_each(self) -> tuple[str | None, ...]:
        """Term of each list."""
        if len(self.terms) == len(self.known):
            return self.terms
        return (self.terms[0] if self.terms else None,) * len(self.known)


@dataclass(frozen=True, kw_only=True, eq=False)
class GenesResult:
    """The comparison, and the panel it was made on.

    Attributes
    ----------
    knowledge
        Accuracy with and without the known genes.
    panel
        What was read.
    """

    knowledge: GeneKnowledge
    panel: Panel

    def record(self) -> dict[str, Any]:
        """The result as plain values.

        Returns
        -------
        dict[str, Any]
            As evaluation.json holds it, with the genes.
        """
        from budwood.workflows.records.trait import evaluation_record

        found = self.knowledge
        return {
            **evaluation_record(found.evaluation),
            "conclusion": found.conclusion,
            "known_genes": found.genes,
            "known_genes_with_markers": found.placed,
            "markers_near": int((found.weights > 0).sum()),
            "against_random_genes": _interval(found.against_random),
            "against_genes_of_other_terms": _interval(found.against_other_terms),
        }


def genes(options: GenesOptions, out: Path | None = None, *, overwrite: bool = False) -> GenesResult:
    """Compare GBLUP with and without genes known for a trait.

    Parameters
    ----------
    options
        Which genes, for which trait.
    out
        Folder to write evaluation.json, marker_weights.csv and report.html to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    GenesResult
        Accuracy on the same folds, and the weights of the markers.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or no marker lies near a known gene.
    """
    from budwood.artifacts import write_artifact

    if options.files.phenotypes is None:
        raise BudwoodError("a comparison needs phenotypes", mend="give --phenotypes as well")
    if out is None:
        return _compare(options)
    pairs = options.pairs
    parameters = {
        "trait": options.trait,
        "pairs": pairs.name if pairs is not None else None,
        "terms": list(options.terms),
        "reach": options.reach,
        "draws": options.draws,
    }
    seeds = {"seed": options.seed}
    with write_artifact(
        out, kind="genes", inputs=options.inputs, parameters=parameters, seeds=seeds, overwrite=overwrite
    ) as draft:
        result = _compare(options)
        _write(draft, result, options)
    return result


def _compare(options: GenesOptions) -> GenesResult:
    from budwood.transfer.gene_knowledge import compare_gene_knowledge

    read = read_lists(options)
    panel = read_panel(options.files, options.trait)
    with blas_threads(len(panel)):
        found = compare_gene_knowledge(
            panel.genotypes,
            trait_values(panel, options.files, options.trait),
            options.trait,
            read.places,
            read.known,
            other_terms=read.other_terms,
            reach=options.reach,
            draws=options.draws,
            folds=options.folds,
            repeats=options.repeats,
            seed=options.seed,
        )
    evaluation = replace(found.evaluation, notes=(*read.notes, *found.evaluation.notes))
    return GenesResult(knowledge=replace(found, evaluation=evaluation), panel=panel)


@dataclass(frozen=True, kw_only=True)
class KnownGenes:
    """Genes of the panel's species.

    Attributes
    ----------
    places
        Where the known genes and those of the controls may lie.
    known
        Names of the genes known for the trait, by list.
    other_terms
        Names of the genes that the tables give for other terms.
    notes
        What became of the genes of another species.
    """

    places: Mapping[str, Interval]
    known: list[list[str]]
    other_terms: list[str]
    notes: tuple[str, ...]


def read_lists(options: GenesOptions) -> KnownGenes:
    """Read where genes lie and which are known.

    Parameters
    ----------
    options
        Files and terms.

    Returns
    -------
    KnownGenes
        Genes of the panel's species, those of another one replaced by their counterparts.

    Raises
    ------
    BudwoodError
        If a file cannot be read, a term is in no row, or no pair joins the two species.
    """
    from budwood.genomics.io.tables.genes.gene_places import read_gene_places
    from budwood.genomics.io.tables.genes.known_genes import read_genes_of_other_terms, read_known_genes

    places = read_gene_places(options.places)
    own = {name: [name] for name in places} if options.pairs is None else _counterparts(options, places)
    known, other_terms, named = [], [], set()
    for path, term in zip(options.known, options.term_of_each, strict=True):
        names, _ = read_known_genes(path, own, term)
        named.update(names)
        known.append([gene for name in names for gene in own[name]])
        if term is not None:
            other_terms += [gene for name in read_genes_of_other_terms(path, own, term) for gene in own[name]]
    if options.pairs is None:
        return KnownGenes(places=places, known=known, other_terms=other_terms, notes=())
    genes = {gene for each in known for gene in each}
    every = {gene for each in own.values() for gene in each}
    note = (
        f"{len(named):,} known genes of the other species have {len(genes):,} counterparts with a place "
        f"here, by {options.pairs.name}; random genes are drawn from the {len(every):,} genes that have a "
        "counterpart."
    )
    reached = {gene: places[gene] for gene in places if gene in every}
    return KnownGenes(places=reached, known=known, other_terms=other_terms, notes=(note,))


def _counterparts(options: GenesOptions, places: Mapping[str, Interval]) -> dict[str, list[str]]:
    """Genes of the panel's species by the names of their counterparts in the other one."""
    from budwood.genomics.io.tables.genes.gene_pairs import read_collinear_pairs, read_gene_pairs

    assert options.pairs is not None, "the caller has pairs"
    joined = (
        read_gene_pairs(options.orthologs, places)
        if options.orthologs is not None
        else read_collinear_pairs(options.pairs)
    )
    found: dict[str, dict[str, None]] = {}
    for pair in joined:
        inside = [name in places for name in pair]
        if sum(inside) == 1:
            here = inside.index(True)
            found.setdefault(pair[1 - here], {}).setdefault(pair[here])
    if not found:
        raise BudwoodError(
            "no pair joins a gene of the gene table and one of another species",
            where=str(options.pairs),
            mend="check that the genes of --genes are spelled as in the pairs, and that the first two "
            "columns are these two species",
        )
    return {name: list(genes) for name, genes in found.items()}


def _interval(difference: PairedDifference | None) -> dict[str, float] | None:
    if difference is None:
        return None
    return {"mean": difference.mean, "lower": difference.lower, "upper": difference.upper}


def _write(draft: Draft, result: GenesResult, options: GenesOptions) -> None:
    from budwood.report.pages.comparison import write_comparison
    from budwood.workflows.records.files import write_json, write_table
    from budwood.workflows.records.report_context import named_files, run_context

    found, panel = result.knowledge, result.panel
    record = result.record()
    write_json(draft.path("evaluation.json"), record)
    names = panel.genotypes.markers.identifier
    rows = ((str(name), int(weight)) for name, weight in zip(names, found.weights, strict=True))
    write_table(draft.path("marker_weights.csv"), ("marker", "weight"), rows, dialect=options.csv_dialect)
    context = run_context(named_files(options.files), notes=read_notes(panel), identity=identity_notes(panel))
    evaluation = replace(found.evaluation, conclusion=found.conclusion)
    write_comparison(draft.path("report.html"), evaluation, context=context)
    draft.notes += [*found.evaluation.notes, found.conclusion]
    draft.metrics["mean_r"] = {score.name: score.mean_r for score in found.evaluation.scores}
