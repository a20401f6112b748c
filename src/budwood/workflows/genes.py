"""From genes known for a trait to a comparison with GBLUP, and marker weights to predict with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.threads import blas_threads
from budwood.workflows.traits.trait_values import trait_values

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.panel.panel import Panel
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
        List of genes known for the trait, or a table of genes and terms.
    term
        Text that rows of the table must hold; every row counts where None.
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
    known: Path
    term: str | None = None
    reach: int = 25_000
    draws: int = 3
    folds: int = 5
    repeats: int = 2
    seed: int = 0
    csv_dialect: CsvDialect = CsvDialect.PLAIN

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        return [*self.files.inputs, self.places, self.known]


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
        against = found.against_random
        return {
            **evaluation_record(found.evaluation),
            "conclusion": found.conclusion,
            "known_genes": found.genes,
            "known_genes_with_markers": found.placed,
            "markers_near": int((found.weights > 0).sum()),
            "against_random_genes": {"mean": against.mean, "lower": against.lower, "upper": against.upper},
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
    parameters = {
        "trait": options.trait,
        "term": options.term,
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
    from budwood.genomics.io.tables.genes.gene_places import read_gene_places
    from budwood.genomics.io.tables.genes.known_genes import read_known_genes
    from budwood.transfer.gene_knowledge import compare_gene_knowledge

    places = read_gene_places(options.places)
    known, _ = read_known_genes(options.known, places, options.term)
    panel = read_panel(options.files, options.trait)
    with blas_threads(len(panel)):
        found = compare_gene_knowledge(
            panel.genotypes,
            trait_values(panel, options.files, options.trait),
            options.trait,
            places,
            known,
            reach=options.reach,
            draws=options.draws,
            folds=options.folds,
            repeats=options.repeats,
            seed=options.seed,
        )
    return GenesResult(knowledge=found, panel=panel)


def _write(draft: Draft, result: GenesResult, options: GenesOptions) -> None:
    from dataclasses import replace

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
