"""Probe: what frozen embeddings know of an annotation or a table, beside every baseline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from budwood.errors import BudwoodError, counted
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, announce_embedding, silent
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.assembly import Assembly
    from budwood.genomics.io.tables.sequence_table import SequenceTable
    from budwood.model.backbone import Backbone
    from budwood.probing.comparison.compare import ProbeComparison
    from budwood.probing.comparison.geometry import SpeciesGeometry, WindowGeometry
    from budwood.probing.tasks.examples import ExampleSet
    from budwood.probing.tasks.genome import AnnotatedGenome
    from budwood.report.context import ReportContext

SplitName = Literal["chromosome", "homology", "species"]
#: Fewest examples of a class on either side of the split.
_FEWEST: Final = 10
#: Blocks of the test under which intervals are not to be trusted.
_FEW_BLOCKS: Final = 10
#: Usual names of the columns of values, and of what belongs together.
_VALUES: Final = ("value", "enrichment", "strength", "score", "activity", "expression", "label", "class")
_GROUPS: Final = ("group", "gene", "family", "contig", "chromosome")


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """What to probe, and how.

    Attributes
    ----------
    task
        One of :data:`budwood.probing.tasks.collect.TASKS`; "" for the geometry of species alone.
    reference, annotation
        Genome, and its genes and repeats (GFF3, GTF, BED12).
    table
        Labelled intervals of the genome (BED, GFF, table), or sequences with values or labels.
    label, group
        Column or attribute of the labels or values; column of the groups of a table of sequences.
    split
        How training and test part; None takes ``species`` where a test genome or table is given,
        ``chromosome`` where several contigs are annotated, else ``homology``.
    test_contigs
        Contigs of the test.
    test_reference, test_annotation, test_table
        Another genome with annotation or table, on which the probes are tested.
    per_class, test_per_class
        Most examples of each class for training and for the test.
    geometry, umap
        Whether to describe the test's windows in the space of embeddings; with UMAP too.
    species, tree
        Table of species (columns ``species`` and ``fasta``) and a Newick tree of them.
    species_windows
        Windows drawn from each of these genomes.
    encoder
        Which encoder reads the sequence, and where.
    precision
        ``bf16`` is faster where the processor multiplies in bfloat16.
    seed
        Seed of all draws.

    Raises
    ------
    BudwoodError
        If the files do not fit the task.
    """

    task: str = ""
    reference: Path | None = None
    annotation: Path | None = None
    table: Path | None = None
    label: str | None = None
    group: str | None = None
    split: SplitName | None = None
    test_contigs: tuple[str, ...] = ()
    test_reference: Path | None = None
    test_annotation: Path | None = None
    test_table: Path | None = None
    per_class: int = 400
    test_per_class: int = 250
    geometry: bool = False
    umap: bool = False
    species: Path | None = None
    tree: Path | None = None
    species_windows: int = 200
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    precision: Literal["float32", "bf16"] = "float32"
    seed: int = 0

    def check(self) -> None:
        """Refuse options that do not belong together.

        Raises
        ------
        BudwoodError
            Before anything is read.
        """
        from budwood.probing.tasks.collect import GENE_TASKS, SEQUENCE_TASKS, check_task

        if not self.task and self.species is None:
            raise _unclear("there is nothing to probe", "give --task, or --species for distances of species")
        if self.tree is not None and self.species is None:
            raise _unclear("a tree was given without species", "give --species with the genomes")
        if min(self.per_class, self.test_per_class) < _FEWEST or self.species_windows < _FEWEST:
            raise _unclear(f"under {_FEWEST} examples are too few", f"give {_FEWEST} or more")
        if not self.task:
            return
        check_task(self.task)
        test = (self.test_reference, self.test_annotation, self.test_table)
        if self.task in SEQUENCE_TASKS:
            if self.table is None or self.reference is not None:
                raise _unclear(f"the task {self.task} reads a table of sequences", "give --table alone")
            if self.split == "chromosome":
                raise _unclear("sequences of a table have no chromosome", "choose --split homology")
        else:
            if self.reference is None:
                raise _unclear(f"the task {self.task} reads a genome", "give --reference")
            genes = self.task in GENE_TASKS
            if genes and self.annotation is None:
                raise _unclear(
                    f"the task {self.task} needs genes", "give --annotation with a GFF or BED12 file"
                )
            if not genes and self.annotation is None and self.table is None:
                raise _unclear(
                    f"the task {self.task} needs intervals", "give --table, or --annotation with repeats"
                )
            if any(test) and self.test_reference is None:
                raise _unclear("a test annotation was given without its genome", "give --test-reference")
            if self.test_reference is not None and self.test_annotation is None and self.test_table is None:
                raise _unclear("the test genome has no labels", "give --test-annotation or --test-table")
        if self.split == "species" and not any(test):
            raise _unclear(
                "the split by species needs a second species", "give --test-reference or --test-table"
            )
        if self.split not in (None, "species") and any(test):
            raise _unclear(
                f"the split by {self.split} takes no test files", "leave out --split or the test files"
            )

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest; genomes of the species table are named in it."""
        files = (
            *(self.reference, self.annotation, self.table, self.test_reference),
            *(self.test_annotation, self.test_table, self.species, self.tree),
        )
        return [path for path in files if path is not None]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeResult:
    """Scores of all probes and the geometry.

    Attributes
    ----------
    split
        How training and test parted; "" where there was no task.
    comparison, windows, species
        Results; None for what was not asked for.
    checkpoint, digest, device
        Name and digest of the encoder, and where it ran.
    notes
        Sentences about what was read and left out.
    """

    split: str
    comparison: ProbeComparison | None
    windows: WindowGeometry | None
    species: SpeciesGeometry | None
    checkpoint: str
    digest: str
    device: str
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The result as plain values, as probe.json has them."""
        from budwood.workflows.records.probe import comparison_record, species_record, windows_record

        found: dict[str, Any] = {"checkpoint": {"name": self.checkpoint, "digest": self.digest}}
        if self.comparison is not None:
            found |= {"split": self.split, **comparison_record(self.comparison)}
        if self.windows is not None:
            found["window_geometry"] = windows_record(self.windows)
        if self.species is not None:
            found["species_geometry"] = species_record(self.species)
        return {**found, "notes": list(self.notes)}


def probe(
    options: ProbeOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> ProbeResult:
    """Collect examples, fit all probes on training examples and score them on the test.

    Parameters
    ----------
    options
        What to probe, and how.
    out
        Folder to write: probe.json, probes.csv, report.html, and examples.csv with the test and training
        examples. Nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the embedding will take.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or holds too few examples.
    """
    from budwood.artifacts import check_destination, write_artifact

    options.check()
    if out is None:
        return _probe(options, announce)[0]
    check_destination(out, overwrite=overwrite)
    parameters = {"task": options.task, "per_class": options.per_class, "precision": options.precision}
    seeds = {"seed": options.seed}
    with write_artifact(
        out, kind="probe", inputs=options.inputs, parameters=parameters, seeds=seeds, overwrite=overwrite
    ) as draft:
        result, sides = _probe(options, announce)
        _write(draft, result, sides, options)
    return result


def _probe(
    options: ProbeOptions, announce: Announce
) -> tuple[ProbeResult, tuple[ExampleSet, ExampleSet] | None]:
    from budwood.model.backbone import load_backbone

    _check_geometry(options)
    encoder = load_backbone(
        options.encoder.checkpoint, device=options.encoder.device, precision=options.precision
    )
    notes: list[str] = []
    comparison = windows = species = sides = None
    split = ""
    if options.task:
        training, test, split = _collect(options, notes)
        sides = (training, test)
        # The encoder and its twin with random weights read every window.
        announce_embedding(2 * (len(training) + len(test)), encoder, announce)
        comparison = _compare(training, test, encoder, options, notes)
        if options.geometry or options.umap:
            windows = _window_geometry(test, encoder, options)
    if options.species is not None:
        species = _species_geometry(options, encoder, announce)
    result = ProbeResult(
        split=split,
        comparison=comparison,
        windows=windows,
        species=species,
        checkpoint=encoder.name,
        digest=encoder.digest,
        device=str(encoder.device),
        notes=tuple(dict.fromkeys(notes)),
    )
    return result, sides


def _check_geometry(options: ProbeOptions) -> None:
    """Refuse what the geometry cannot use, before any long work."""
    from budwood.genomics.io.tables.newick import read_newick
    from budwood.probing.comparison.geometry import check_umap, evolutionary_distances
    from budwood.workflows.records.probe import species_files

    if options.umap:
        check_umap()
    if options.species is not None:
        tree = read_newick(options.tree) if options.tree is not None else None
        evolutionary_distances(list(species_files(options.species)), tree)


def _compare(
    training: ExampleSet, test: ExampleSet, encoder: Backbone, options: ProbeOptions, notes: list[str]
) -> ProbeComparison:
    from budwood.probing.comparison.compare import compare_features
    from budwood.probing.tasks.split import like_training

    found = compare_features(training, test, encoder, seed=options.seed)
    alike = float(like_training(training.windows, test.windows).mean())
    notes += [
        *found.notes,
        f"{alike:.1%} of the test windows resemble a training window (identity of .75 or more over .3 of the "
        "window).",
        f"Intervals are from {found.blocks:,} blocks of test examples drawn with replacement"
        + (", too few for intervals to be trusted." if found.blocks < _FEW_BLOCKS else "."),
    ]
    return replace(found, like_training=alike)


def _collect(options: ProbeOptions, notes: list[str]) -> tuple[ExampleSet, ExampleSet, str]:
    """Training and test examples, and how they part."""
    from budwood.probing.tasks.collect import SEQUENCE_TASKS, shared_classes

    collect = _sequence_sides if options.task in SEQUENCE_TASKS else _genome_sides
    training, test, split = collect(options, notes)
    if training.is_classification:
        training, test = shared_classes(training, test, _FEWEST)
    return training, test, split


def _sequence_sides(options: ProbeOptions, notes: list[str]) -> tuple[ExampleSet, ExampleSet, str]:
    import numpy as np

    from budwood.genomics.io.tables.sequence_table import read_sequence_table
    from budwood.probing.tasks.collect import sequence_examples
    from budwood.probing.tasks.split import split_by_homology

    assert options.table is not None, "checked with the options"
    table = read_sequence_table(options.table)
    label, group = _columns(table, options)
    examples = sequence_examples(options.task, table, label, group)
    notes.append(f"Table: values from column {label!r}" + (f", groups from {group!r}." if group else "."))
    random = np.random.default_rng(options.seed)
    if options.test_table is not None:
        other = read_sequence_table(options.test_table)
        test = sequence_examples(options.task, other, label, group)
        most = options.test_per_class
        return _few(examples, options.per_class, random), _few(test, most, random), "species"
    chosen = _few(examples, options.per_class + options.test_per_class, random)
    held = split_by_homology(chosen.windows, groups=chosen.blocks if group else None, seed=options.seed)
    return chosen.take(~held), chosen.take(held), "homology"


def _columns(table: SequenceTable, options: ProbeOptions) -> tuple[str, str | None]:
    """Columns of the values and of the groups: those that were named, or those of the usual names."""
    lowered = {name.lower(): name for name in table.columns}
    label = options.label or next((lowered[name] for name in _VALUES if name in lowered), None)
    if label is None:
        raise BudwoodError(
            "it is not clear which column holds the values",
            where=str(options.table),
            mend="name it with --label",
        )
    return label, options.group or next((lowered[name] for name in _GROUPS if name in lowered), None)


def _few(examples: ExampleSet, most: int, random: Any) -> ExampleSet:
    """So many rows of each class at most, in their order."""
    import numpy as np

    labels = examples.labels if examples.is_classification else np.zeros(len(examples), dtype=np.str_)
    rows = [
        random.permutation(np.flatnonzero(labels == label))[:most] for label in np.unique(labels).tolist()
    ]
    return examples.take(np.sort(np.concatenate(rows)))


def _genome_sides(options: ProbeOptions, notes: list[str]) -> tuple[ExampleSet, ExampleSet, str]:
    from budwood.probing.tasks.collect import collect_examples
    from budwood.probing.tasks.split import split_by_homology, split_contigs

    assert options.reference is not None, "checked with the options"
    genome = _genome(options.reference, options.annotation, options.table, options, notes)
    contigs = genome.annotated_contigs
    seed, task = options.seed, options.task
    if options.test_reference is not None:
        other = _genome(options.test_reference, options.test_annotation, options.test_table, options, notes)
        wanted = options.test_contigs or other.annotated_contigs
        unknown = [contig for contig in wanted if contig not in other.annotated_contigs]
        if unknown:
            raise _unclear(
                f"the test genome has no annotated contig {unknown[0]!r}",
                f"choose from {', '.join(other.annotated_contigs[:8])}",
            )
        training = collect_examples(task, genome, contigs, per_class=options.per_class, seed=seed)
        test = collect_examples(task, other, wanted, per_class=options.test_per_class, seed=seed + 1)
        return training, test, "species"
    split = options.split or ("chromosome" if options.test_contigs or len(contigs) > 1 else "homology")
    if split == "chromosome":
        lengths = {contig: genome.assembly.contigs[contig] for contig in contigs}
        for_training, for_test = split_contigs(lengths, options.test_contigs)
        notes.append(f"Training contigs: {_listed(for_training)}. Test contigs: {_listed(for_test)}.")
        training = collect_examples(task, genome, for_training, per_class=options.per_class, seed=seed)
        test = collect_examples(task, genome, for_test, per_class=options.test_per_class, seed=seed + 1)
        return training, test, split
    every = options.per_class + options.test_per_class
    examples = collect_examples(task, genome, contigs, per_class=every, seed=seed)
    held = split_by_homology(examples.windows, seed=seed)
    return examples.take(~held), examples.take(held), split


def _genome(
    reference: Path,
    annotation: Path | None,
    table: Path | None,
    options: ProbeOptions,
    notes: list[str],
) -> AnnotatedGenome:
    from budwood.genomics.io.annotation.labelled_intervals import read_labelled_intervals
    from budwood.genomics.io.annotation.open_annotation import read_annotation
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.probing.tasks.genome import AnnotatedGenome

    assembly = open_fasta(reference)
    read = read_annotation(annotation) if annotation is not None else None
    intervals = tuple(read_labelled_intervals(table, label=options.label)) if table is not None else ()
    _check_places(assembly, intervals, table)
    if read is not None:
        notes += [
            f"{annotation.name if annotation else ''}: {n:,} {why}." for why, n in read.assumptions.items()
        ]
    return AnnotatedGenome(assembly=assembly, annotation=read, intervals=intervals)


def _check_places(assembly: Assembly, intervals: tuple[Any, ...], table: Path | None) -> None:
    for each in intervals:
        if each.contig in assembly.contigs and each.end > assembly.contigs[each.contig]:
            raise BudwoodError(
                f"interval {each.contig}:{each.start + 1}-{each.end} runs past the end of the contig, which "
                f"has {counted(assembly.contigs[each.contig], 'base')}",
                where=str(table),
                mend="check that the coordinates belong to this genome",
            )


def _window_geometry(test: ExampleSet, encoder: Backbone, options: ProbeOptions) -> WindowGeometry:
    import numpy as np

    from budwood.probing.comparison.features import embedding, kmer_counts
    from budwood.probing.comparison.geometry import window_geometry

    labels = test.labels
    if not test.is_classification:
        quarters = np.quantile(test.values, [0.25, 0.5, 0.75])
        names = np.array(["lowest quarter", "second quarter", "third quarter", "highest quarter"])
        labels = names[np.searchsorted(quarters, test.values)]
    return window_geometry(
        embedding(test, encoder),
        kmer_counts(test, 6),
        labels,
        test.blocks,
        with_umap=options.umap,
        seed=options.seed,
    )


def _species_geometry(options: ProbeOptions, encoder: Backbone, announce: Announce) -> SpeciesGeometry:
    from budwood.genomics.io.tables.newick import read_newick
    from budwood.probing.comparison.features import composition, embedding, kmer_counts
    from budwood.probing.comparison.geometry import species_geometry
    from budwood.workflows.records.probe import species_files, species_windows

    assert options.species is not None, "checked with the options"
    files = species_files(options.species)
    examples = {
        name: species_windows(name, path, options.species_windows, options.seed)
        for name, path in files.items()
    }
    announce_embedding(sum(map(len, examples.values())), encoder, announce)
    tree = read_newick(options.tree) if options.tree is not None else None
    return species_geometry(
        {name: embedding(each, encoder) for name, each in examples.items()},
        {
            "6-mers": {name: kmer_counts(each, 6) for name, each in examples.items()},
            "GC": {name: composition(each)[:, :1] for name, each in examples.items()},
        },
        tree,
        seed=options.seed,
    )


def _write(
    draft: Draft,
    result: ProbeResult,
    sides: tuple[ExampleSet, ExampleSet] | None,
    options: ProbeOptions,
) -> None:
    from budwood.workflows.records.files import write_json
    from budwood.workflows.records.probe import write_examples, write_probe_report, write_probe_table

    write_json(draft.path("probe.json"), result.record())
    if result.comparison is not None and sides is not None:
        write_probe_table(draft.path("probes.csv"), result.comparison)
        write_examples(draft.path("examples.csv"), *sides)
        chosen = result.comparison.rows[result.comparison.chosen]
        draft.metrics[result.comparison.measure] = chosen.scores[result.comparison.measure].value
        draft.metrics["conclusion"] = result.comparison.conclusion
    write_probe_report(
        draft.path("report.html"),
        title=options.task or "species",
        split=result.split,
        comparison=result.comparison,
        windows=result.windows,
        species=result.species,
        context=_context(result, options),
    )
    draft.notes += result.notes
    draft.parameters["checkpoint"] = {"name": result.checkpoint, "digest": result.digest}
    draft.parameters["device"] = result.device


def _context(result: ProbeResult, options: ProbeOptions) -> ReportContext:
    from budwood.workflows.records.report_context import run_context

    names = ("reference", "annotation", "table", "test_reference", "test_annotation", "test_table")
    files = {name: getattr(options, name) for name in (*names, "species", "tree")}
    return run_context(
        {name.replace("_", " "): path.name for name, path in files.items() if path is not None},
        model="small models on frozen embeddings",
        notes=result.notes,
        checkpoint=f"{result.checkpoint} ({result.digest[:12]})",
        command=command_of("probe", options),
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _unclear(what: str, mend: str) -> BudwoodError:
    return BudwoodError(what, where="command line", mend=mend)
