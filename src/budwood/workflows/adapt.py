"""Adapt: a low-rank adapter for a species, from its genome or from the trait values of a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from budwood.errors import BudwoodError, UnknownTrait, counted
from budwood.panel.files import PanelFiles
from budwood.workflows.forgetting import (
    FollowedSpecies,
    Forgetting,
    SpeciesReading,
    describe_forgetting,
    followed,
    forgetting,
    read_species,
)
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    from budwood.genomics.annotation.genes import Annotation
    from budwood.genomics.assembly import Assembly
    from budwood.genomics.checks.reference_check import AnnotationCheck
    from budwood.model.adapters.adapted import AdaptedEncoder
    from budwood.model.adapters.low_rank import LowRank
    from budwood.model.checkpoint import Checkpoint
    from budwood.probing.forgetting import LossChange
    from budwood.probing.forgotten_probes import ProbeChange
    from budwood.training.adaptation.continued import Continuation
    from budwood.training.adaptation.trait_supervision import SupervisionHistory


@dataclass(frozen=True, kw_only=True)
class AdaptOptions:
    """What to adapt to, and how.

    Attributes
    ----------
    reference, annotation
        Genome to continue pre-training on, and its genes; with ``files``, not used.
    files, trait
        Instead: a panel with sequence and phenotypes, and the trait to learn from.
    others
        FASTA files of other species, whose masked bases are predicted before and after.
    others_annotation
        Genes of the other species, in their order, None for a species without; fewer are possible. Species
        with genes are also probed before and after: coding bases, introns and donor sites.
    name
        Name of the adapter; that of the output folder where None.
    rank, share
        Rank of the adapter, or else its share of the encoder's parameters.
    steps, batch
        Steps of continued pre-training, and windows per step.
    passes
        Passes over the panel's windows; 1 to 4, by their number, where None.
    learning_rate
        Peak rate; 2e-3 for continued pre-training and 5e-4 for trait supervision where None.
    held_out_share, held_out_windows
        Share of each long contig that is kept out, and windows of it that are scored.
    full_control
        Also train every weight until the loss on the kept sequence is that of the adapter, and compare what
        either forgets.
    precision
        Of the products of training steps; whatever is scored is read in float32.
    encoder
        Which encoder, and where it runs; with adapters, the new one is trained over them.
    seed
        Of everything drawn.
    show
        Progress on or off; by default it shows in a terminal.

    Raises
    ------
    BudwoodError
        If it is not clear what to adapt to.
    """

    reference: Path | None = None
    annotation: Path | None = None
    files: PanelFiles | None = None
    trait: str | None = None
    others: tuple[Path, ...] = ()
    others_annotation: tuple[Path | None, ...] = ()
    name: str | None = None
    rank: int | None = None
    share: float = 0.04
    steps: int = 200
    batch: int = 16
    passes: int | None = None
    learning_rate: float | None = None
    held_out_share: float = 0.05
    held_out_windows: int = 256
    full_control: bool = False
    precision: Literal["bf16", "float32"] = "bf16"
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    seed: int = 0
    show: bool | None = None

    def __post_init__(self) -> None:
        if (self.files is None) == (self.reference is None):
            raise BudwoodError(
                "it is not clear what to adapt to",
                where="command line",
                mend="give --reference alone, or with --genotypes, --phenotypes and --trait",
            )
        if self.files is not None and (
            self.trait is None or self.files.phenotypes is None or self.files.reference is None
        ):
            raise BudwoodError(
                "trait supervision needs sequence and trait values",
                where="command line",
                mend="give --genotypes, --phenotypes, --trait and --reference",
            )
        if len(self.others_annotation) > len(self.others):
            raise BudwoodError(
                "there are more annotations than other species",
                where="--other-annotation",
                mend="give each after its --other",
            )
        if self.held_out_windows < 8:
            raise BudwoodError(
                f"--held-out-windows {self.held_out_windows} are too few", mend="give 8 or more"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptResult:
    """An adapter and what it changed.

    Attributes
    ----------
    name, rank
        Of the adapter.
    parameters, encoder_parameters
        Numbers it adds, and numbers of the encoder.
    changes
        Loss on masked bases before and after: of the kept sequence of the species first, then of others.
    control
        The same after full fine-tuning at the same loss, where that was run.
    probes, control_probes
        Probes of species with genes before and after, and after full fine-tuning.
    supervision
        Ratios of trait supervision, None for continued pre-training.
    steps
        Steps done.
    accessions
        Accessions whose trait values it has learnt from.
    conclusion
        What the figures say.
    notes
        What was read and assumed.
    """

    name: str
    rank: int
    parameters: int
    encoder_parameters: int
    changes: tuple[LossChange, ...]
    control: tuple[LossChange, ...] = ()
    probes: tuple[ProbeChange, ...] = ()
    control_probes: tuple[ProbeChange, ...] = ()
    supervision: SupervisionHistory | None = None
    steps: int
    accessions: tuple[str, ...] = ()
    conclusion: str
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The result as plain values."""
        from dataclasses import asdict

        return {
            "adapter": {
                "name": self.name,
                "rank": self.rank,
                "parameters": self.parameters,
                "encoder_parameters": self.encoder_parameters,
                "share": self.parameters / self.encoder_parameters,
            },
            "steps": self.steps,
            "masked_bases": [asdict(change) for change in self.changes],
            "full_control": [asdict(change) for change in self.control],
            "probes": [asdict(change) for change in self.probes],
            "full_control_probes": [asdict(change) for change in self.control_probes],
            "supervision": None if self.supervision is None else asdict(self.supervision),
            "accessions": len(self.accessions),
            "conclusion": self.conclusion,
            "notes": list(self.notes),
        }


def adapt(
    options: AdaptOptions, out: Path, *, overwrite: bool = False, announce: Announce = silent
) -> AdaptResult:
    """Train an adapter and write it.

    Parameters
    ----------
    options
        What to adapt to, and how.
    out
        Folder to write: the adapter, adaptation.json, and the log of the training.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the training will take.

    Raises
    ------
    BudwoodError
        If a file cannot be used or the training diverges.
    """
    from budwood.artifacts import check_destination, write_artifact
    from budwood.model.adapters.adapter_folder import KIND, write_adapter
    from budwood.workflows.records.files import write_json

    out = Path(out)
    inputs = _inputs(options)
    check_destination(out, inputs=inputs, overwrite=overwrite)
    adapted, base, size = _prepared(options, out)
    name = adapted.names[-1]
    with write_artifact(
        out, kind=KIND, inputs=inputs, seeds={"seed": options.seed}, overwrite=overwrite
    ) as draft:
        work = _Work(options, adapted, base, size, name, draft.path("training.jsonl"))
        result = _to_species(work, announce) if options.files is None else _to_trait(work, announce)
        write_adapter(draft, adapted, name, size, base)
        write_json(draft.path("adaptation.json"), result.record())
        draft.parameters["adapter"] |= _provenance(options, result)
        draft.metrics["masked_bases"] = {
            change.name: {"before": change.before, "after": change.after} for change in result.changes
        }
        draft.notes += [result.conclusion, *result.notes]
        if result.accessions:
            draft.path("accessions.txt").write_text("\n".join(result.accessions) + "\n", encoding="utf-8")
    return result


@dataclass(frozen=True, eq=False)
class _Work:
    """An adapter about to be trained."""

    options: AdaptOptions
    adapted: AdaptedEncoder
    base: Checkpoint
    size: LowRank
    name: str
    log: Path

    def result(self, **found: Any) -> AdaptResult:
        """A result with what is known of every adapter."""
        from budwood.model.adapters.low_rank import added_parameters

        return AdaptResult(
            name=self.name,
            rank=self.size.rank,
            parameters=added_parameters(self.base.encoder, self.size.rank),
            encoder_parameters=sum(p.numel() for p in self.base.encoder.parameters()),
            **found,
        )


def _prepared(options: AdaptOptions, out: Path) -> tuple[AdaptedEncoder, Checkpoint, LowRank]:
    """The encoder with a new adapter over those given, and what the new one is trained on."""
    from budwood.model.adapters.adapted import AdaptedEncoder
    from budwood.model.adapters.adapter_folder import read_adapter
    from budwood.model.adapters.low_rank import LowRank, rank_of_share
    from budwood.model.checkpoint import Checkpoint

    opened = replace(options.encoder, adapter=()).open()
    if not isinstance(opened, Checkpoint):
        raise BudwoodError(
            "only checkpoints of Budwood have adapters, and this is another model",
            where=str(options.encoder.checkpoint),
            mend="give another --checkpoint, or none",
        )
    adapted = AdaptedEncoder(opened)
    for folder in options.encoder.adapter:
        earlier = read_adapter(folder, opened.encoder)
        adapted.add(earlier)
        adapted.use(*adapted.used, earlier.name)
    base = replace(adapted.checkpoint, encoder=opened.encoder)
    rank = rank_of_share(opened.encoder, options.share) if options.rank is None else options.rank
    size = LowRank(rank=rank)
    name = (options.name or out.resolve().name).replace(".", "-")
    adapted.new(name, size, seed=options.seed)
    return adapted, base, size


def _to_species(work: _Work, announce: Announce) -> AdaptResult:
    from budwood.corpus.sampling.sampler import SamplerConfig, WindowSampler
    from budwood.probing.forgetting import held_out_windows
    from budwood.training.adaptation.continued import ADAPTER_RATE, Continuation, continue_pretraining
    from budwood.training.adaptation.held_out import hold_out
    from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective

    options = work.options
    genome, notes = _genome(options)
    parts = hold_out(genome, options.held_out_share)
    sampler = WindowSampler([parts], [1.0], SamplerConfig(), seed=options.seed)
    own = held_out_windows(parts, most=options.held_out_windows, seed=options.seed)
    species = [followed(own), *_others(options)]
    plan = Continuation(
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate or ADAPTER_RATE,
        precision=options.precision,
    )
    announce(
        f"{plan.steps} steps of {plan.batch} windows; a core trains on some 12 windows a second in float32 "
        "and twice as many in bf16"
    )
    before = read_species(species, work.adapted.checkpoint, options.show)
    objective = PretrainingObjective(
        work.adapted.encoder, ObjectiveConfig(region_weight=0.0 if options.annotation is None else 1.0)
    )
    work.adapted.train_only(work.name)
    steps = continue_pretraining(objective, sampler, plan, log=work.log, show=options.show)
    work.adapted.use(*work.adapted.used)
    after = read_species(species, work.adapted.checkpoint, options.show)
    found, control = forgetting(species, before, after), None
    if options.full_control:
        wanted = found.losses[0].after
        control = _full_control(work, sampler, objective.config, plan, species, before, wanted)
    return work.result(
        changes=found.losses,
        control=() if control is None else control.losses,
        probes=found.probes,
        control_probes=() if control is None else control.probes,
        steps=steps,
        conclusion=describe_forgetting(found, control),
        notes=notes,
    )


def _full_control(
    work: _Work,
    sampler: Any,
    config: Any,
    plan: Continuation,
    species: Sequence[FollowedSpecies],
    before: Sequence[SpeciesReading],
    wanted: float,
) -> Forgetting:
    """Losses and probes after training every weight to the loss of the adapter on the kept sequence."""
    from budwood.model.adapters.adapted import AdaptedEncoder
    from budwood.probing.forgetting import masked_loss
    from budwood.training.adaptation.continued import FULL_RATE, continue_pretraining
    from budwood.training.objective.objectives import PretrainingObjective

    merged = AdaptedEncoder(work.base)
    if len(work.adapted.names) > 1:
        raise BudwoodError("the control is for a first adapter, without --adapter", where="--full-control")
    trained = replace(work.base, encoder=merged.encoder)
    objective = PretrainingObjective(trained.encoder, config)

    def reached(done: int) -> bool:
        return float(masked_loss(species[0].windows, trained, show=False).mean()) <= wanted

    continue_pretraining(
        objective,
        sampler,
        replace(plan, learning_rate=FULL_RATE, weight_decay=0.05),
        follow=reached,
        every=max(10, plan.steps // 10),
        label="full control",
        show=work.options.show,
    )
    return forgetting(species, before, read_species(species, trained, work.options.show))


def _to_trait(work: _Work, announce: Announce) -> AdaptResult:
    import numpy as np

    from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
    from budwood.training.adaptation.trait_supervision import Supervision, supervise
    from budwood.workflows.records.read_notes import read_notes

    options = work.options
    files, trait = options.files, options.trait
    assert files is not None, "checked with the options"
    assert trait is not None, "checked with the options"
    panel, haplotypes = _panel(files, trait)
    known = panel.values(trait)
    rows = np.array([k for k, name in enumerate(panel.accessions) if name in known], dtype=np.intp)
    names = tuple(panel.accessions[k] for k in rows)
    values = np.array([known[name] for name in names])
    table = haplotypes.table
    place = {name: k for k, name in enumerate(table.accessions)}
    absent = [name for name in names if name not in place]
    if absent:
        raise BudwoodError(
            f"accession {absent[0]!r} has no haplotypes",
            where=str(files.haplotypes or files.genotypes),
            mend="give --haplotypes with the same accessions",
        )
    own = table.take([place[name] for name in names])
    relationship = PanelKernels(panel.genotypes).kernel(RELATIONSHIP, rows)[np.ix_(rows, rows)]
    plan = Supervision(
        passes=options.passes,
        windows=options.batch,
        learning_rate=options.learning_rate or 5e-4,
        precision=options.precision,
        seed=options.seed,
    )
    announce(
        f"passes: {plan.passes_of(len(own.windows))}, over {own.n_sequences:,} distinct sequences of "
        f"{len(own.windows):,} windows, for all {len(names):,} accessions at once, instead of "
        f"{own.brute_force_windows:,} sequences accession by accession"
    )
    trained = work.adapted.train_only(work.name)
    history = supervise(work.adapted.encoder, trained, own, values, relationship, plan, show=options.show)
    work.adapted.use(*work.adapted.used)
    others = _forgetting_of_others(work)
    first, best = history.validation[0], history.validation[history.best]
    kept = 100 * plan.validation_share
    if history.best == 0:
        conclusion = (
            f"Training did not make the sequence explain more of {trait} on the {kept:.0f} % of "
            "accessions kept aside: the adapter changes nothing."
        )
    else:
        conclusion = (
            f"On the {kept:.0f} % of accessions kept aside, the score statistic of the "
            f"embedding kernel beyond the relationship is {best:.2f} of its mean without an effect, and "
            f"{first:.2f} with the frozen encoder. Compare predictions of lines whose values were not used."
        )
    from budwood.probing.forgotten_probes import describe_probes

    conclusion = " ".join(each for each in (conclusion, describe_probes(others.probes)) if each)
    notes = (
        *read_notes(panel),
        *haplotypes.notes(),
        f"The adapter has learnt from {len(names):,} accessions with {trait}, listed in accessions.txt: an "
        "accuracy on any of these is too high.",
    )
    return work.result(
        changes=others.losses,
        probes=others.probes,
        supervision=history,
        steps=history.steps,
        accessions=names,
        conclusion=conclusion,
        notes=tuple(dict.fromkeys(notes)),
    )


def _panel(files: PanelFiles, trait: str) -> tuple[Any, Any]:
    from budwood.panel.files import read_files_haplotypes, read_panel
    from budwood.prediction.phenotyped import match_phenotyped

    panel = read_panel(files)
    if trait not in panel.traits:
        raise UnknownTrait(trait, panel.traits, str(files.phenotypes))
    # Refuses too few lines, and values that do not vary, before the long work.
    match_phenotyped(panel.genotypes, panel.values(trait), trait)
    haplotypes = read_files_haplotypes(files)
    assert haplotypes is not None, "there is a reference"
    return panel, haplotypes


def _genome(options: AdaptOptions) -> tuple[Any, tuple[str, ...]]:
    from budwood.corpus.sampling.genome import load_training_genome
    from budwood.genomics.io.annotation.gff import read_gff
    from budwood.genomics.io.sequence.fasta import open_fasta

    assert options.reference is not None, "checked with the options"
    annotation = read_gff(options.annotation) if options.annotation is not None else None
    assembly = open_fasta(options.reference)
    lost: dict[str, int] = {}
    if annotation is not None and options.annotation is not None:
        lost = dict(_check_genes(annotation, assembly, options.annotation).missing_contigs)
    genome = load_training_genome(options.reference.name, assembly, annotation)
    bases = sum(len(contig.codes) for contig in genome.training)
    masked = sum(int(contig.repeat.sum()) for contig in genome.training) / bases
    notes = [
        f"{bases:,} bases were read; the last {100 * options.held_out_share:.0f} % of long contigs are "
        "kept out."
    ]
    if lost:
        notes.append(
            f"Warning: the reference lacks contigs of the annotation, such as {next(iter(lost))!r}, with "
            f"{counted(sum(lost.values()), 'gene')}; under other names their coding bases are "
            "learnt as intergenic."
        )
    if masked == 0:
        notes.append("No base is soft-masked, so repeats count like other sequence.")
    return genome, tuple(notes)


def _check_genes(annotation: Annotation, assembly: Assembly, path: Path) -> AnnotationCheck:
    """Refuse genes of another genome: base classes and sites would be at wrong places."""
    from budwood.genomics.checks.reference_check import check_annotation

    try:
        return check_annotation(annotation, assembly)
    except BudwoodError as error:
        where = "; ".join(each for each in (str(path), error.where) if each)
        raise BudwoodError(error.what, where=where, mend=error.mend) from error


def _others(options: AdaptOptions) -> list[FollowedSpecies]:
    from budwood.genomics.io.annotation.gff import read_gff
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.probing.forgetting import assembly_windows

    found = []
    for number, path in enumerate(options.others):
        given = options.others_annotation[number] if number < len(options.others_annotation) else None
        genome = open_fasta(path), None if given is None else read_gff(given)
        if given is not None and genome[1] is not None:
            _check_genes(genome[1], genome[0], given)
        windows = assembly_windows(path.name, *genome, most=options.held_out_windows, seed=options.seed)
        found.append(followed(windows, *genome, seed=options.seed))
    return found


def _forgetting_of_others(work: _Work) -> Forgetting:
    species, show = _others(work.options), work.options.show
    after = read_species(species, work.adapted.checkpoint, show)
    used = work.adapted.used
    work.adapted.use(*used[:-1])
    before = read_species(species, work.adapted.checkpoint, show)
    work.adapted.use(*used)
    return forgetting(species, before, after)


def _inputs(options: AdaptOptions) -> list[Path]:
    named = [options.reference, options.annotation, *options.others, *options.others_annotation]
    if options.files is not None:
        named += options.files.inputs
    return [path for path in named if path is not None]


def _provenance(options: AdaptOptions, result: AdaptResult) -> Mapping[str, Any]:
    """What the manifest says of where the adapter comes from."""
    if options.files is None:
        assert options.reference is not None, "checked with the options"
        return {"source": "genome", "reference": options.reference.name, "steps": result.steps}
    return {"source": "trait", "trait": options.trait, "accessions": len(result.accessions)}
