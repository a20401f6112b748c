"""Whether genes that are known for a trait help to predict it: a kernel of the markers near them.

The markers within a distance of the genes make a second relationship beside that of all markers; restricted
maximum likelihood divides the variance between the two in every training set, so genes that explain nothing
get nothing. As many genes drawn at random make the control: what they gain comes from the form of the model
and not from the knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.interval import Interval
from budwood.panel.accession_means import AccessionMeans
from budwood.prediction.evaluation.evaluate import Comparison, evaluate
from budwood.prediction.evaluation.results import Evaluation, PairedDifference
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.phenotyped import match_phenotyped
from budwood.prediction.uncertainty.calibrated import Calibrated
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import random_folds
from budwood.transfer.locus_map import locus_members

#: Bases on either side of a gene whose markers count as near it.
REACH: Final = 25_000
KNOWN: Final = "GBLUP + known genes"
_RANDOM: Final = "GBLUP + random genes"
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GeneKnowledge:
    """What genes known for a trait add to GBLUP.

    Attributes
    ----------
    evaluation
        GBLUP, GBLUP with the known genes, and with random genes, on the same folds.
    weights
        (m,) 1 for markers near a known gene, in the order of the genotypes' markers.
    genes, placed
        Known genes, and those of them with a marker near.
    against_random
        Accuracy with known genes less the mean of that with random genes, and its 95 % interval.
    conclusion
        One sentence.
    """

    evaluation: Evaluation
    weights: Vector
    genes: int
    placed: int
    against_random: PairedDifference
    conclusion: str


def near_genes(markers: Markers, genes: Sequence[Interval], reach: int = REACH) -> tuple[Vector, int]:
    """Markers near any of the genes.

    Parameters
    ----------
    markers
        m markers with places.
    genes
        Their places; names of contigs may differ by case, ``chr`` and leading zeros.
    reach
        Bases on either side of a gene.

    Returns
    -------
    weights, placed
        (m,) 1 near a gene and 0 elsewhere, and how many genes have a marker near.

    Examples
    --------
    >>> words = np.array(["1", "1", "2"], dtype=object)
    >>> markers = Markers(words, words, np.array([5, 90, 5]), words, words)
    >>> near_genes(markers, [Interval("Chr01", 10, 20)], reach=8)
    (array([1., 0., 0.]), 1)
    """
    members = locus_members(genes, markers, reach)
    weights = np.minimum(np.asarray(members.sum(axis=0)).ravel(), 1.0)
    return weights, int(np.count_nonzero(np.diff(members.indptr)))


def compare_gene_knowledge(
    genotypes: Genotypes,
    values: Mapping[str, float] | AccessionMeans,
    trait: str,
    places: Mapping[str, Interval],
    known: Sequence[str],
    *,
    reach: int = REACH,
    draws: int = 3,
    folds: int = 5,
    repeats: int = 2,
    seed: int = 0,
) -> GeneKnowledge:
    """Compare GBLUP with and without genes known for the trait, and with as many random genes.

    Parameters
    ----------
    genotypes, values, trait
        Lines, their trait values, and the trait's name.
    places
        Place of every gene of the genome.
    known
        Names of the genes that are known for the trait.
    reach
        Bases on either side of a gene.
    draws
        Sets of random genes, each as large as the known ones.
    folds, repeats
        Random divisions of the phenotyped lines.
    seed
        Of folds and random genes.

    Returns
    -------
    GeneKnowledge
        Accuracy on the same folds, and the conclusion.

    Raises
    ------
    BudwoodError
        If no marker has a place, none or nearly all lie near the known genes, no other gene is near a marker,
        or there are too few lines.
    """
    rows, columns = genotypes.order()
    ordered = genotypes.take(rows).take_markers(columns)
    genes = _distinct(places, known)
    weights, placed = near_genes(ordered.markers, genes, reach)
    _check(ordered.markers, weights)
    means = AccessionMeans.of(values)
    lines = match_phenotyped(ordered, means.values, trait, weights=means.weights)
    further = {"known genes": weights}
    others = sorted(
        set(places.values()) - set(genes), key=lambda place: (place.contig, place.start, place.end)
    )
    if not others:
        raise BudwoodError(
            "the table of genes holds the known genes alone, and none to draw at random beside them",
            mend="give the places of all genes of the genome",
        )
    generator = np.random.default_rng(seed)
    size = min(len(genes), len(others))
    for draw in range(draws):
        chosen = [others[at] for at in generator.choice(len(others), size, replace=False)]
        drawn, _ = near_genes(ordered.markers, chosen, reach)
        if drawn.any():
            further[f"random genes {draw + 1}"] = drawn
    drawn_sets = len(further) - 1
    if not drawn_sets:
        raise BudwoodError(
            f"none of {counted(draws, 'set')} of random genes has a marker near, so that nothing can be "
            "compared with the known genes",
            mend="check that all genes are of the markers' genome build, or raise the reach or the draws",
        )
    models = [GBLUP, KernelModel(KNOWN, (("relationship", "known genes"),))]
    models += [
        KernelModel(f"{_RANDOM} {name.rpartition(' ')[2]}", (("relationship", name),))
        for name in further
        if name.startswith("random")
    ]
    kernels = PanelKernels(ordered, {}, further).take(lines.rows)
    names = kernels.genotypes.accessions
    divisions = tuple(random_folds(names, folds, seed + repeat) for repeat in range(repeats))
    found = evaluate(
        kernels,
        lines.y,
        Comparison(tuple(Calibrated(model) for model in models), reported=KNOWN),
        Scheme("random", divisions),
        trait=trait,
        weights=lines.weights,
        seed=seed,
        notes=(
            *means.notes,
            *lines.notes,
            *_notes(len(genes), placed, weights, reach),
            *_random_notes(size, genes, drawn_sets, draws),
        ),
    )
    unsorted = np.empty(len(weights))
    unsorted[columns] = weights
    against = _against_random(found)
    return GeneKnowledge(
        evaluation=found,
        weights=unsorted,
        genes=len(genes),
        placed=placed,
        against_random=against,
        conclusion=_conclusion(found, against),
    )


def _distinct(places: Mapping[str, Interval], names: Sequence[str]) -> list[Interval]:
    """Places of genes, each once: a gene may have several names."""
    return list(dict.fromkeys(places[name] for name in names if name in places))


def _check(markers: Markers, weights: Vector) -> None:
    if not (markers.position >= 0).any():
        raise BudwoodError("the markers have no places", mend="give a marker map")
    share = float(weights.mean())
    if share == 0.0:
        raise BudwoodError(
            "no marker lies near a known gene",
            mend="check that genes and markers are of the same genome build, or raise the reach",
        )
    if share > 0.9:
        raise BudwoodError(
            f"{share:.0%} of the markers lie near a known gene, so these say no more than all markers do",
            mend="give fewer genes or a smaller reach",
        )


def _notes(known: int, placed: int, weights: Vector, reach: int) -> tuple[str, ...]:
    near = int(np.count_nonzero(weights))
    return (
        f"{placed:,} of {known:,} known genes lie within {reach:,} bases of a marker; "
        f"{near:,} of {counted(len(weights), 'marker')} {'is' if near == 1 else 'are'} near one.",
    )


def _random_notes(size: int, known: Sequence[Interval], used: int, draws: int) -> tuple[str, ...]:
    many = "as many as there are known ones"
    if size < len(known):
        many = f"all {size:,} of them, fewer than the {len(known):,} known ones"
    found = [f"Random genes are drawn from all other genes, {many}."]
    if used < draws:
        found.append(f"{draws - used:,} of {counted(draws, 'set')} of random genes had no marker near.")
    return tuple(found)


def _against_random(evaluation: Evaluation) -> PairedDifference:
    by_name = {score.name: np.asarray(score.fold_r, dtype=np.float64) for score in evaluation.scores}
    random = [r for name, r in by_name.items() if name.startswith(_RANDOM)]
    difference = by_name[KNOWN] - np.mean(random, axis=0)
    interval = corrected_interval(difference, 1.0 / (evaluation.folds - 1))
    return PairedDifference(KNOWN, "random genes", interval.mean, interval.lower, interval.upper)


def _conclusion(evaluation: Evaluation, against: PairedDifference) -> str:
    gain = next(each for each in evaluation.paired if each.model == KNOWN)
    figures = (
        f"r {gain.mean:+.3f} ({gain.lower:+.3f} to {gain.upper:+.3f}) against GBLUP and "
        f"{against.mean:+.3f} ({against.lower:+.3f} to {against.upper:+.3f}) against random genes"
    )
    if gain.lower > 0 and against.lower > 0:
        return f"The known genes help: {figures}."
    if gain.upper < 0:
        return f"The known genes harm: {figures}."
    return f"No gain by the known genes is shown: {figures}."
