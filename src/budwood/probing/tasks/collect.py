"""Examples of every task from a genome with its annotation, or from a table of sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.errors import BudwoodError, suggestion
from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.annotation.genes import Annotation, Signal
from budwood.genomics.annotation.superfamily import superfamily
from budwood.genomics.io.tables.sequence_table import SequenceTable, is_missing
from budwood.genomics.sequence import PAD
from budwood.probing.sites import collect_sites, site_window, window_fits
from budwood.probing.stretches import BASE_CLASSES, REGIONS_OF_CLASS
from budwood.probing.tasks.examples import ExampleSet, ReadPart, labelled
from budwood.probing.tasks.genome import AnnotatedGenome, random_positions

#: Tasks from gene models, with the site that :func:`budwood.probing.sites.collect_sites` collects.
SITES: Final[Mapping[str, str]] = MappingProxyType(
    {"donor": "donor", "acceptor": "acceptor", "start-codon": "start_codon"}
)
GENE_TASKS: Final = ("regions", "exon-intron", *SITES)
INTERVAL_TASKS: Final = ("transposon", "superfamily", "intervals", "interval-labels")
SEQUENCE_TASKS: Final = ("sequence-values", "sequence-labels")
#: Every task of a probe.
TASKS: Final = (*GENE_TASKS, *INTERVAL_TASKS, *SEQUENCE_TASKS)

_UTR: Final = "UTR"
#: Bases between a boundary and a base that counts as none.
_AWAY: Final = 30
#: Boundaries of one gene at most, so that examples come from many genes.
_PER_GENE: Final = 4
#: Share of a window that lies in a transposon where it counts as one.
_INSIDE: Final = 0.9
_SHORTEST_COPY: Final = 200
#: Positions drawn for each example wanted.
_DRAWS: Final = 60


def check_task(task: str) -> None:
    """Refuse a task that there is not.

    Parameters
    ----------
    task
        Name of the task.

    Raises
    ------
    BudwoodError
        If there is no such task.
    """
    if task not in TASKS:
        raise BudwoodError(f"there is no task {task!r}", where="--task", mend=suggestion(task, TASKS))


def collect_examples(
    task: str, genome: AnnotatedGenome, contigs: Sequence[str], *, per_class: int, seed: int = 0
) -> ExampleSet:
    """Draw examples of a task at random from contigs of a genome, so many of each class at most.

    Parameters
    ----------
    task
        One of :data:`GENE_TASKS` or :data:`INTERVAL_TASKS`.
    genome
        The genome with what the task needs.
    contigs
        Contigs to draw from.
    per_class
        Largest number of examples of each class.
    seed
        Seed of the draws.

    Returns
    -------
    ExampleSet
        The examples.

    Raises
    ------
    BudwoodError
        If there is no such task, or the genome holds no example of it.
    """
    check_task(task)
    own = [contig for contig in contigs if genome.assembly.contigs[contig] >= WINDOW]
    if not own:
        raise BudwoodError(
            f"no contig of {WINDOW} bases or more carries anything of the annotation",
            mend="check that genome and annotation name the contigs alike",
        )
    if task in SITES:
        return _sites(task, genome, own, per_class, seed)
    collect: Mapping[str, Callable[[AnnotatedGenome, list[str], int, np.random.Generator], ExampleSet]] = {
        "regions": _regions,
        "exon-intron": _exon_intron,
        "transposon": _transposon,
        "superfamily": _superfamily,
        "intervals": _intervals,
        "interval-labels": _interval_labels,
    }
    return collect[task](genome, own, per_class, np.random.default_rng(seed))


def sequence_examples(task: str, table: SequenceTable, label: str, group: str | None = None) -> ExampleSet:
    """Examples of a table of sequences; of a sequence longer than 512 bases the middle is read.

    Parameters
    ----------
    task
        One of :data:`SEQUENCE_TASKS`.
    table
        Sequences with values or labels.
    label, group
        Columns of the values or labels, and of what belongs together; None where every row is on its own.

    Returns
    -------
    ExampleSet
        One for each row with a value. Rows of one group are a block; one without a group is its own.

    Raises
    ------
    BudwoodError
        If there is no such column, or the values are no numbers.
    """
    values = table.numbers(label) if task == "sequence-values" else None
    if task == "sequence-values" and values is None:
        raise BudwoodError(
            f"column {label!r} holds text",
            where=str(table.path),
            mend="give a column of numbers, or choose the task sequence-labels",
        )
    cells = np.array(table.cells(label), dtype=np.str_)
    missing = np.array([is_missing(cell) for cell in cells.tolist()], dtype=np.bool_)
    rows = np.flatnonzero(~missing)
    if not len(rows):
        raise BudwoodError(f"column {label!r} is empty", where=str(table.path), mend="give another column")
    named = table.cells(group) if group else [""] * len(cells)
    groups = np.array(["" if is_missing(cell) else cell for cell in named], dtype=np.str_)
    sequences = [table.sequences[row] for row in rows]
    long = sum(len(codes) > WINDOW for codes in sequences)
    middles = [_middle(codes) for codes in sequences]
    width = max(map(len, middles))
    width += width % 2
    windows = np.full((len(middles), width), PAD, dtype=np.uint8)
    for row, codes in zip(windows, middles, strict=True):
        row[: len(codes)] = codes
    notes = [*table.notes]
    if long:
        notes.append(f"{long:,} sequences are longer than 512 bases; their middle was read.")
    if missing.any():
        notes.append(f"{int(missing.sum()):,} sequences have no value and were left out.")
    return ExampleSet(
        task=task,
        windows=windows,
        labels=cells[rows] if values is None else np.array([], dtype=np.str_),
        values=np.empty(0) if values is None else values[rows],
        contig=groups[rows],
        position=np.full(len(middles), -1, dtype=np.int64),
        reading=ReadPart.WHOLE,
        stranded=True,
        notes=tuple(notes),
    )


def _middle(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    cut = max(0, (len(codes) - WINDOW) // 2)
    return codes[cut : cut + WINDOW]


def _lengths(genome: AnnotatedGenome, contigs: list[str]) -> list[tuple[str, int]]:
    return [(contig, genome.assembly.contigs[contig]) for contig in contigs]


def _regions(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    names = np.full(max(BaseClass) + 1, -1)
    for number, classes in enumerate(REGIONS_OF_CLASS):
        names[list(classes)] = number
    names[BaseClass.UTR] = len(BASE_CLASSES)
    labels = (*BASE_CLASSES, _UTR)
    track, read = np.empty(0, dtype=np.uint8), ""
    drawn: dict[str, list[tuple[str, int]]] = {label: [] for label in labels}
    for contig, position in random_positions(_lengths(genome, contigs), _DRAWS * per_class, random):
        if contig != read:
            track, read = genome.base_classes(contig), contig
        drawn[labels[names[track[position]]]].append((contig, position))
    return _around(genome, "regions", drawn, per_class, random, ReadPart.MIDDLE)


def _around(
    genome: AnnotatedGenome,
    task: str,
    drawn: Mapping[str, list[tuple[str, int]]],
    per_class: int,
    random: np.random.Generator,
    reading: ReadPart,
) -> ExampleSet:
    """Windows around positions, ``per_class`` of each label at most."""
    windows: list[NDArray[np.uint8]] = []
    labels: list[str] = []
    places: list[tuple[str, int]] = []
    for label, candidates in drawn.items():
        count = 0
        for index in random.permutation(len(candidates)):
            codes = genome.window(*candidates[index])
            if codes is not None:
                windows.append(codes)
                labels.append(label)
                places.append(candidates[index])
                count += 1
            if count == per_class:
                break
    return labelled(task, windows, labels, places, reading=reading)


def _sites(task: str, genome: AnnotatedGenome, contigs: list[str], per_class: int, seed: int) -> ExampleSet:
    assert genome.annotation is not None, "checked with the options"
    wanted = set(contigs)
    genes = tuple(gene for gene in genome.annotation.genes if gene.contig in wanted)
    found = collect_sites(genome.assembly, Annotation(genes), SITES[task], limit=per_class, seed=seed)
    known = (found.windows < PAD).all(axis=1)
    rows = np.flatnonzero(known)
    return labelled(
        task,
        list(found.windows[rows]),
        ["site" if site else "decoy" for site in found.is_site[rows]],
        [(str(found.contig[row]), int(found.position[row])) for row in rows],
        reading=ReadPart.MIDDLE,
        stranded=True,
    )


def _exon_intron(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    """Boundaries, and as many other bases of the same genes at least 30 bases away from every boundary."""
    assert genome.annotation is not None, "checked with the options"
    lengths = dict(_lengths(genome, contigs))
    by_contig: dict[str, list[int]] = {}
    for signal in genome.annotation.splice_sites(all_transcripts=True):
        by_contig.setdefault(signal.contig, []).append(signal.position)
    known = {contig: np.sort(np.array(positions)) for contig, positions in by_contig.items()}
    genes = [gene for gene in genome.annotation.genes if gene.contig in lengths and gene.strand in "+-"]
    windows: list[NDArray[np.uint8]] = []
    labels: list[str] = []
    places: list[tuple[str, int]] = []
    for index in random.permutation(len(genes)):
        gene = genes[index]
        own = Annotation((gene,)).splice_sites()
        fitting = [signal for signal in own if window_fits(signal.position, lengths[gene.contig])]
        fitting = [fitting[i] for i in random.permutation(len(fitting))[:_PER_GENE]]
        others = _away_from(known.get(gene.contig), gene.start, gene.end, len(fitting), random)
        others = [position for position in others if window_fits(position, lengths[gene.contig])]
        for signal, other in zip(fitting, others, strict=False):
            decoy = Signal(gene.contig, other, gene.strand, signal.kind)
            for each, label in ((signal, "boundary"), (decoy, "other")):
                windows.append(site_window(genome.assembly, each))
                labels.append(label)
                places.append((gene.contig, each.position))
        if len(labels) >= 2 * per_class:
            break
    most = 2 * per_class
    return labelled(
        "exon-intron", windows[:most], labels[:most], places[:most], reading=ReadPart.MIDDLE, stranded=True
    )


def _away_from(
    boundaries: NDArray[np.int64] | None, start: int, end: int, count: int, random: np.random.Generator
) -> list[int]:
    """Up to ``count`` positions of a gene that are 30 bases or more away from every boundary."""
    if boundaries is None or not count:
        return []
    drawn = random.integers(start, end, 4 * count)
    after = np.searchsorted(boundaries, drawn)
    left = drawn - boundaries[np.maximum(after - 1, 0)]
    right = boundaries[np.minimum(after, len(boundaries) - 1)] - drawn
    far = ((after == 0) | (left >= _AWAY)) & ((after == len(boundaries)) | (right >= _AWAY))
    return [int(position) for position in drawn[far][:count]]


def _transposon(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    drawn: dict[str, list[tuple[str, int]]] = {"transposon": [], "other": []}
    covered, read = np.empty(0, dtype=np.int64), ""
    half = WINDOW // 2
    for contig, position in random_positions(_lengths(genome, contigs), _DRAWS * per_class, random):
        if contig != read:
            covered, read = genome.covered(contig), contig
        start, end = max(0, position - half), min(len(covered) - 1, position + half)
        share = (covered[end] - covered[start]) / (end - start)
        if share >= _INSIDE:
            drawn["transposon"].append((contig, position))
        elif share == 0:
            drawn["other"].append((contig, position))
    return _around(genome, "transposon", drawn, per_class, random, ReadPart.WHOLE)


def _superfamily(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    wanted = set(contigs)
    drawn: dict[str, list[tuple[str, int]]] = {}
    for each in genome.labelled_intervals:
        name = superfamily(each.label)
        if name is not None and each.contig in wanted and each.end - each.start >= _SHORTEST_COPY:
            drawn.setdefault(name, []).append((each.contig, (each.start + each.end) // 2))
    return _around(genome, "superfamily", dict(sorted(drawn.items())), per_class, random, ReadPart.WHOLE)


def _intervals(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    wanted = set(contigs)
    inside = [
        (each.contig, (each.start + each.end) // 2)
        for each in genome.labelled_intervals
        if each.contig in wanted
    ]
    outside: list[tuple[str, int]] = []
    covered, read = np.empty(0, dtype=np.int64), ""
    half = WINDOW // 2
    for contig, position in random_positions(_lengths(genome, contigs), _DRAWS * per_class, random):
        if contig != read:
            covered, read = genome.covered(contig), contig
        if covered[min(len(covered) - 1, position + half)] == covered[max(0, position - half)]:
            outside.append((contig, position))
    drawn = {"inside": inside, "outside": outside}
    return _around(genome, "intervals", drawn, per_class, random, ReadPart.WHOLE)


def _interval_labels(
    genome: AnnotatedGenome, contigs: list[str], per_class: int, random: np.random.Generator
) -> ExampleSet:
    wanted = set(contigs)
    drawn: dict[str, list[tuple[str, int]]] = {}
    for each in genome.labelled_intervals:
        if each.contig in wanted and each.label:
            drawn.setdefault(each.label, []).append((each.contig, (each.start + each.end) // 2))
    return _around(genome, "interval-labels", dict(sorted(drawn.items())), per_class, random, ReadPart.WHOLE)


def shared_classes(training: ExampleSet, test: ExampleSet, least: int) -> tuple[ExampleSet, ExampleSet]:
    """Keep the classes that both sides have enough examples of.

    Parameters
    ----------
    training, test
        Examples of one task.
    least
        Fewest examples of a class on either side.

    Returns
    -------
    tuple
        Both, with a note on what was left out.

    Raises
    ------
    BudwoodError
        If fewer than two classes are left.
    """
    counts = [Counter(side.labels.tolist()) for side in (training, test)]
    every = sorted(set(counts[0]) | set(counts[1]))
    kept = [label for label in every if min(count[label] for count in counts) >= least]
    if len(kept) < 2:
        raise BudwoodError(
            f"under two classes have {least} examples or more on both sides of the split",
            where=", ".join(f"{label}: {counts[0][label]} and {counts[1][label]}" for label in every[:8]),
            mend="give more annotation, another split, or another task",
        )
    left = [label for label in every if label not in kept]
    note = (f"Left out, with under {least} examples on one side: {', '.join(left[:8])}.",) if left else ()
    found = []
    for side in (training, test):
        rows = np.flatnonzero(np.isin(side.labels, kept))
        found.append(side.take(rows))
    first = found[0]
    return ExampleSet(**{**vars(first), "notes": (*first.notes, *note)}), found[1]
