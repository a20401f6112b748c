"""Whether genes that are known for a trait help to predict it: a kernel of the markers near them.

The markers within a distance of the genes make a second relationship beside that of all markers; restricted
maximum likelihood divides the variance between the two in every training set, so genes that explain nothing
get nothing. Where several lists name genes for the trait, a marker counts once for each list that has a gene
near it: what independent sources agree on counts more. As many genes drawn at random make one control: what
they gain comes from the form of the model and not from the knowledge. As many genes that are known for other
traits make another: genes that somebody has studied differ from those that nobody has.
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
_OTHER: Final = "GBLUP + genes of other terms"
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GeneKnowledge:
    """What genes known for a trait add to GBLUP.

    Attributes
    ----------
    evaluation
        GBLUP, GBLUP with the known genes, with random genes, and with genes known for other traits where
        there are enough, on the same folds.
    weights
        (m,) number of lists with a gene near the marker, in the order of the genotypes' markers.
    genes, placed
        Known genes, and those of them with a marker near.
    against_random
        Accuracy with known genes less the mean of that with random genes, and its 95 % interval.
    against_other_terms
        The same with genes that are known for other traits; None where these are not known.
    conclusion
        One sentence.
    """

    evaluation: Evaluation
    weights: Vector
    genes: int
    placed: int
    against_random: PairedDifference
    against_other_terms: PairedDifference | None
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


def evidence_weights(markers: Markers, lists: Sequence[Sequence[Interval]], reach: int = REACH) -> Vector:
    """How many lists have a gene near each marker.

    Parameters
    ----------
    markers
        m markers with places.
    lists
        Places of the genes of each list.
    reach
        Bases on either side of a gene.

    Returns
    -------
    ndarray
        (m,) numbers of lists.

    Examples
    --------
    >>> words = np.array(["1", "1", "2"], dtype=object)
    >>> markers = Markers(words, words, np.array([5, 90, 5]), words, words)
    >>> one, other = Interval("1", 10, 20), Interval("2", 0, 3)
    >>> evidence_weights(markers, [[one, other], [one]], reach=8)
    array([2., 0., 1.])
    """
    weights: Vector = np.sum([near_genes(markers, genes, reach)[0] for genes in lists], axis=0)
    return weights


def compare_gene_knowledge(
    genotypes: Genotypes,
    values: Mapping[str, float] | AccessionMeans,
    trait: str,
    places: Mapping[str, Interval],
    known: Sequence[Sequence[str]],
    *,
    other_terms: Sequence[str] = (),
    reach: int = REACH,
    draws: int = 3,
    folds: int = 5,
    repeats: int = 2,
    seed: int = 0,
) -> GeneKnowledge:
    """Compare GBLUP with and without genes known for the trait, and with as many other genes.

    Parameters
    ----------
    genotypes, values, trait
        Lines, their trait values, and the trait's name.
    places
        Place of every gene of the genome.
    known
        Names of the genes that are known for the trait, by list.
    other_terms
        Names of genes that are known for other traits, for the second control.
    reach
        Bases on either side of a gene.
    draws
        Sets of other genes of each kind, each as large as the known ones and spread over as many lists.
    folds, repeats
        Random divisions of the phenotyped lines.
    seed
        Of folds and drawn genes.

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
    lists = [_distinct(places, names) for names in known]
    genes = _union(lists)
    weights = evidence_weights(ordered.markers, lists, reach)
    _, placed = near_genes(ordered.markers, genes, reach)
    _check(ordered.markers, weights)
    means = AccessionMeans.of(values)
    lines = match_phenotyped(ordered, means.values, trait, weights=means.weights)
    further = {"known genes": weights}
    others = set(places.values()) - set(genes)
    if not others:
        raise BudwoodError(
            "the table of genes holds the known genes alone, and none to draw at random beside them",
            mend="give the places of all genes of the genome",
        )
    pools = {_RANDOM: others, _OTHER: set(_distinct(places, other_terms)) - set(genes)}
    generator = np.random.default_rng(seed)
    for control, pool in pools.items():
        if control == _OTHER and len(pool) < len(genes):
            continue
        rest = sorted(pool, key=lambda place: (place.contig, place.start, place.end))
        for draw in range(draws):
            drawn = evidence_weights(ordered.markers, _replaced(lists, genes, rest, generator), reach)
            if drawn.any():
                further[f"{control.removeprefix('GBLUP + ')} {draw + 1}"] = drawn
    drawn_sets = sum(name.startswith("random") for name in further)
    if not drawn_sets:
        raise BudwoodError(
            f"none of {counted(draws, 'set')} of random genes has a marker near, so that nothing can be "
            "compared with the known genes",
            mend="check that all genes are of the markers' genome build, or raise the reach or the draws",
        )
    models = [GBLUP, KernelModel(KNOWN, (("relationship", "known genes"),))]
    models += [
        KernelModel(f"GBLUP + {name}", (("relationship", name),)) for name in further if name != "known genes"
    ]
    kernels = PanelKernels(ordered, {}, further).take(lines.rows)
    names = kernels.genotypes.accessions
    divisions = tuple(random_folds(names, folds, seed + repeat) for repeat in range(repeats))
    notes = _notes(lists, placed, weights, reach)
    if other_terms and not any(model.name.startswith(_OTHER) for model in models):
        notes = (
            *notes,
            "Fewer genes are known for other traits than for this one, so these are no control.",
        )
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
            *notes,
            *_random_notes(min(len(genes), len(others)), genes, drawn_sets, draws),
        ),
    )
    unsorted = np.empty(len(weights))
    unsorted[columns] = weights
    against = _against(found, _RANDOM)
    assert against is not None, "random genes are always drawn"
    against_other_terms = _against(found, _OTHER)
    return GeneKnowledge(
        evaluation=found,
        weights=unsorted,
        genes=len(genes),
        placed=placed,
        against_random=against,
        against_other_terms=against_other_terms,
        conclusion=_conclusion(found, against, against_other_terms),
    )


def _distinct(places: Mapping[str, Interval], names: Sequence[str]) -> list[Interval]:
    """Places of genes, each once: a gene may have several names."""
    return list(dict.fromkeys(places[name] for name in names if name in places))


def _union(lists: Sequence[Sequence[Interval]]) -> list[Interval]:
    """Genes of all lists, each once."""
    return list(dict.fromkeys(gene for genes in lists for gene in genes))


def _replaced(
    lists: Sequence[Sequence[Interval]],
    genes: Sequence[Interval],
    rest: Sequence[Interval],
    generator: np.random.Generator,
) -> list[list[Interval]]:
    """The lists with another gene for each known one: as large, and with as much in common."""
    size = min(len(genes), len(rest))
    chosen = [rest[at] for at in generator.choice(len(rest), size, replace=False)]
    other = dict(zip(genes, chosen, strict=False))
    return [[other[gene] for gene in each if gene in other] for each in lists]


def _check(markers: Markers, weights: Vector) -> None:
    if not (markers.position >= 0).any():
        raise BudwoodError("the markers have no places", mend="give a marker map")
    share = float((weights > 0.0).mean())
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


def _notes(lists: Sequence[Sequence[Interval]], placed: int, weights: Vector, reach: int) -> tuple[str, ...]:
    near = int(np.count_nonzero(weights))
    known = len(_union(lists))
    notes = [
        f"{placed:,} of {known:,} known genes lie within {reach:,} bases of a marker; "
        f"{near:,} of {counted(len(weights), 'marker')} {'is' if near == 1 else 'are'} near one.",
    ]
    if len(lists) > 1:
        again = sum(len(genes) for genes in lists) - known
        sizes = " and ".join(f"{len(genes):,}" for genes in lists)
        notes.append(
            f"{len(lists)} lists hold {sizes} genes with a place; {again:,} times a gene is in a further "
            "list. A marker counts once for each list with a gene near."
        )
    return tuple(notes)


def _random_notes(size: int, known: Sequence[Interval], used: int, draws: int) -> tuple[str, ...]:
    many = "as many as there are known ones"
    if size < len(known):
        many = f"all {size:,} of them, fewer than the {len(known):,} known ones"
    found = [f"Random genes are drawn from all other genes, {many}."]
    if used < draws:
        found.append(f"{draws - used:,} of {counted(draws, 'set')} of random genes had no marker near.")
    return tuple(found)


def _against(evaluation: Evaluation, control: str) -> PairedDifference | None:
    """Accuracy with the known genes less the mean of the drawn ones; None where none were drawn."""
    by_name = {score.name: np.asarray(score.fold_r, dtype=np.float64) for score in evaluation.scores}
    drawn = [r for model, r in by_name.items() if model.startswith(control)]
    if not drawn:
        return None
    difference = by_name[KNOWN] - np.mean(drawn, axis=0)
    interval = corrected_interval(difference, 1.0 / (evaluation.folds - 1))
    name = control.removeprefix("GBLUP + ")
    return PairedDifference(KNOWN, name, interval.mean, interval.lower, interval.upper)


def _conclusion(evaluation: Evaluation, random: PairedDifference, others: PairedDifference | None) -> str:
    gain = next(each for each in evaluation.paired if each.model == KNOWN)
    compared = {"GBLUP": gain, "random genes": random}
    if others is not None:
        compared["genes known for other traits"] = others
    parts = [
        f"{each.mean:+.3f} ({each.lower:+.3f} to {each.upper:+.3f}) against {name}"
        for name, each in compared.items()
    ]
    figures = f"r {', '.join(parts[:-1])} and {parts[-1]}"
    if all(each.lower > 0 for each in compared.values()):
        return f"The known genes help: {figures}."
    if gain.upper < 0:
        return f"The known genes harm: {figures}."
    return f"No gain by the known genes is shown: {figures}."
