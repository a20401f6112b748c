"""Attribute: which windows and which bases drive the predictions of a trait model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.genomics.annotation.genes import Annotation
    from budwood.panel.panel import Panel
    from budwood.prediction.attribution.bases import HaplotypeBases
    from budwood.prediction.attribution.contributions import WindowContributions
    from budwood.prediction.attribution.overlap import RegionOverlap
    from budwood.prediction.fitted_trait_model import FittedTraitModel
    from budwood.workflows.records.attribution import AttributeResult

#: Model that is fitted where a genome is given, and where none is.
_WITH_SEQUENCE: Final = "gblup+dna"
_PLAIN: Final = "gblup"


@dataclass(frozen=True, kw_only=True)
class AttributeOptions:
    """Which predictions to attribute, and to what.

    Attributes
    ----------
    files
        Genotypes, with phenotypes for a fresh fit and the genome where the model reads sequence.
    model_folder
        Folder of a saved model; None fits one.
    trait, model
        Trait and model of a fresh fit; by default gblup+dna with a genome and gblup without.
    regions
        BED, GFF or table of regions whose windows are compared with matched ones.
    annotation
        Genes, by whose density windows are matched.
    bases
        Number of top windows whose bases are attributed through the encoder; 0 for none.
    encoder
        Which encoder reads the sequence, and where.
    permutations, seed
        Of the test of the regions.

    Raises
    ------
    BudwoodError
        If the options do not belong together.
    """

    files: PanelFiles
    model_folder: Path | None = None
    trait: str | None = None
    model: str | None = None
    regions: Path | None = None
    annotation: Path | None = None
    bases: int = 0
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    permutations: int = 999
    seed: int = 0

    def check(self) -> None:
        """Refuse options that do not belong together.

        Raises
        ------
        BudwoodError
            Before anything is read.
        """
        from budwood.prediction.attribution.contributions import check_additive

        fresh = self.files.phenotypes is not None or self.trait is not None
        if self.model_folder is None and (self.files.phenotypes is None or self.trait is None):
            raise _unclear("there is no model", "give --model-folder, or --phenotypes and --trait to fit one")
        if self.model_folder is not None and (fresh or self.model is not None):
            raise _unclear("a saved model is not fitted again", "leave out --phenotypes, --trait and --model")
        if self.model is not None:
            check_additive(self.model)
        if self.bases < 0 or self.permutations < 1:
            raise _unclear("--bases and --permutations count something", "give 0 or more, and 1 or more")
        if self.bases and self.files.reference is None:
            raise _unclear("bases are attributed through sequence", "give --reference, or leave out --bases")

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        own = [self.model_folder / "manifest.json"] if self.model_folder is not None else []
        return [*own, *self.files.inputs, *(path for path in (self.annotation, self.regions) if path)]


def attribute(
    options: AttributeOptions,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    announce: Announce = silent,
) -> AttributeResult:
    """Fit or read a model and split its predictions into contributions of windows and bases.

    Parameters
    ----------
    options
        Which predictions to attribute, and to what.
    out
        Folder to write: windows.csv, contributions.npy, predictions.csv, tracks, attribution.json and
        report.html. Nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Raises
    ------
    BudwoodError
        If the predictions are no sums over windows, or a file cannot be used.
    """
    from budwood.artifacts import check_destination, write_artifact

    options.check()
    if out is None:
        return _attribute(options, announce)
    check_destination(out, overwrite=overwrite)
    parameters = {"bases": options.bases, "permutations": options.permutations}
    seeds = {"seed": options.seed}
    with write_artifact(
        out, kind="attribute", inputs=options.inputs, parameters=parameters, seeds=seeds, overwrite=overwrite
    ) as draft:
        result = _attribute(options, announce)
        _write(draft, result, options)
    return result


def _attribute(options: AttributeOptions, announce: Announce) -> AttributeResult:
    from budwood.prediction.attribution.contributions import attribute_windows
    from budwood.workflows.records.attribution import AttributeResult

    panel, fitted = _model(options, announce)
    with blas_threads(len(fitted.observed)):
        found = attribute_windows(fitted, panel)
    notes = [*identity_notes(panel), *read_notes(panel), *fitted.notes]
    if found.unknown_calls.any():
        notes.append(
            "Missing calls of training lines add to their own predictions what no window has; it stands in a "
            "column of its own."
        )
    annotation = _annotation(options)
    overlap, inside = _overlap(options, found, annotation)
    checkpoint = panel.vectors.checkpoint if panel.vectors is not None else ""
    return AttributeResult(
        trait=fitted.trait,
        model=fitted.model,
        contributions=found,
        bases=_bases(options, found, panel, fitted),
        overlap=overlap,
        lengths=_lengths(options, found),
        checkpoint=checkpoint,
        inside=inside,
        notes=tuple(dict.fromkeys(notes)),
    )


def _model(options: AttributeOptions, announce: Announce) -> tuple[Panel, FittedTraitModel]:
    """The panel with its sequence, and the model: read, or fitted to the panel."""
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.setup.sequence import add_sequence
    from budwood.workflows.traits.trait_values import trait_values

    if options.model_folder is not None:
        fitted = TraitModel.load(options.model_folder)
        if fitted.reads_sequence and options.files.reference is None:
            raise BudwoodError(
                f"model {fitted.model} reads sequence",
                where=str(options.model_folder),
                mend="give --reference with the genome that the model was fitted with",
            )
        panel = read_panel(options.files)
        if fitted.reads_sequence:
            panel = add_sequence(panel, options.files, options.encoder, announce=announce)
        return panel, fitted
    assert options.trait is not None, "checked with the options"
    panel = read_panel(options.files, options.trait)
    reads = options.files.reference is not None and options.model in (None, _WITH_SEQUENCE)
    if options.model == _WITH_SEQUENCE and not reads:
        raise _unclear(f"model {_WITH_SEQUENCE!r} reads sequence", "give --reference, or another model")
    if reads:
        panel = add_sequence(panel, options.files, options.encoder, announce=announce)
    name = options.model or (_WITH_SEQUENCE if reads else _PLAIN)
    values = trait_values(panel, options.files, options.trait)
    with blas_threads(len(values.values)):
        fitted = TraitModel(name, seed=options.seed).fit(panel, values, trait=options.trait)
    return panel, fitted


def _annotation(options: AttributeOptions) -> Annotation | None:
    from budwood.genomics.io.annotation.open_annotation import read_annotation

    return read_annotation(options.annotation) if options.annotation is not None else None


def _overlap(
    options: AttributeOptions, found: WindowContributions, annotation: Annotation | None
) -> tuple[RegionOverlap | None, NDArray[np.bool_]]:
    import numpy as np

    from budwood.genomics.io.annotation.labelled_intervals import read_labelled_intervals
    from budwood.prediction.attribution.overlap import gene_density, inside_regions, overlap_regions

    if options.regions is None:
        return None, np.zeros(len(found.windows), dtype=np.bool_)
    regions = [(each.contig, each.start, each.end) for each in read_labelled_intervals(options.regions)]
    density = gene_density(found.windows, annotation) if annotation is not None else None
    overlap = overlap_regions(
        found.windows,
        found.importance,
        regions,
        gene_density=density,
        permutations=options.permutations,
        seed=options.seed,
    )
    return overlap, inside_regions(found.windows, regions)


def _bases(
    options: AttributeOptions, found: WindowContributions, panel: Panel, fitted: FittedTraitModel
) -> HaplotypeBases | None:
    from budwood.model.checkpoint import Checkpoint
    from budwood.prediction.attribution.bases import attribute_bases

    if not options.bases:
        return None
    encoder = options.encoder.open()
    if not fitted.reads_sequence or panel.haplotypes is None or not isinstance(encoder, Checkpoint):
        raise _unclear(
            f"model {fitted.model} does not read sequence through a checkpoint of Budwood",
            "choose --model gblup+dna with --reference, or leave out --bases",
        )
    return attribute_bases(found, panel.haplotypes, encoder, options.bases)


def _lengths(options: AttributeOptions, found: WindowContributions) -> dict[str, int]:
    """Contigs that hold a window with their lengths; the end of the last window where no genome is given."""
    from budwood.genomics.io.sequence.fasta import open_fasta

    ends: dict[str, int] = {}
    for window in found.windows:
        ends[window.contig] = max(ends.get(window.contig, 0), window.end)
    if options.files.reference is None:
        return ends
    known = open_fasta(options.files.reference).contigs
    return {name: max(end, known.get(name, 0)) for name, end in ends.items()}


def _write(draft: Draft, result: AttributeResult, options: AttributeOptions) -> None:
    from budwood.workflows.records.attribution import write_attribution
    from budwood.workflows.records.report_context import run_context

    regions = {"regions": options.regions.name} if options.regions is not None else {}
    context = run_context(
        {"genotypes": options.files.genotypes.name, **regions},
        model=result.model,
        notes=result.notes,
        checkpoint=result.checkpoint or None,
        command=command_of("attribute", options),
    )
    write_attribution(draft, result, context)
    draft.notes += result.notes
    draft.parameters |= {"trait": result.trait, "model": result.model, "checkpoint": result.checkpoint}


def _unclear(what: str, mend: str) -> BudwoodError:
    return BudwoodError(what, where="command line", mend=mend)
