"""Every head that a source and a target allow, with its controls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from budwood.genomics.checks.marker_match import MarkerMatch, match_markers
from budwood.genomics.genotypes import Genotypes
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import (
    MarkerSummary,
    centre,
    centred_products,
    summarise_markers,
)
from budwood.transfer.burdens import locus_burdens
from budwood.transfer.embedded_lines import EmbeddedLines
from budwood.transfer.few_shot.target import TransferHead
from budwood.transfer.locus_embeddings import LocusEmbeddings, LocusKernels
from budwood.transfer.locus_importance import association, locus_importance, marker_weights
from budwood.transfer.locus_map import LocusMap, locus_members
from budwood.transfer.random_source import random_scores, random_traits
from budwood.transfer.score_effect import gblup
from budwood.transfer.source_head import SourceHead

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Rows = NDArray[np.intp]

MARKERS: Final = "shared markers"
BURDENS: Final = "gene burdens"
IMPORTANCE: Final = "locus importance"
EMBEDDINGS: Final = "pooled embeddings"
BY_LOCUS: Final = "embeddings by locus"
#: Share of the source's markers that the target needs for a head on shared markers.
FEWEST_SHARED: Final = 0.1
#: Fewest loci with markers, or with embeddings that differ between lines, on both sides.
FEWEST_LOCI: Final = 20
#: Scores with shuffled orthology that few-shot controls take in turn.
_SHUFFLES: Final = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferSource:
    """Phenotyped lines of a source.

    Attributes
    ----------
    genotypes
        n lines.
    y
        (n,) their trait values.
    score
        (c,) prediction of the target's lines by a saved model of these lines; None to fit one here.
    """

    genotypes: Genotypes
    y: Vector
    score: Vector | None = None


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """How heads are made.

    Attributes
    ----------
    reach
        Bases on either side of a locus whose markers and windows belong to it.
    random_traits
        Random traits of the source behind each test.
    random_kernels
        Random kernels and shuffled ones that few-shot controls take in turn.
    seed
        Of the controls.
    """

    reach: int = 25_000
    random_traits: int = 200
    random_kernels: int = 5
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class CarriedHeads:
    """Heads for the phenotyped target lines, and scores of all of them.

    Attributes
    ----------
    heads
        What each brings to the phenotyped lines.
    scores
        (c,) score of every target line by head.
    source_importance
        (L,) importance of each locus in the source; None without loci.
    target_members
        (L, m) markers of the target in each locus; None without loci.
    loci
        The loci with markers on both sides; None without any.
    notes
        What was matched and left out.
    """

    heads: tuple[TransferHead, ...]
    scores: dict[str, Vector]
    source_importance: Vector | None
    target_members: csr_matrix | None
    loci: LocusMap | None
    notes: tuple[str, ...]


def carry_heads(
    source: TransferSource,
    target: Genotypes,
    phenotyped: Rows,
    *,
    loci: LocusMap | None = None,
    source_scores: Vector | None = None,
    target_scores: Vector | None = None,
    embeddings: tuple[EmbeddedLines, EmbeddedLines] | None = None,
    random_embeddings: Sequence[tuple[EmbeddedLines, EmbeddedLines]] = (),
    options: HeadOptions | None = None,
) -> CarriedHeads:
    """Carry a source to a target by every way that the data allow.

    Parameters
    ----------
    source
        Phenotyped lines of the source.
    target
        c lines.
    phenotyped
        Rows of the target with trait values; nothing here sees the values.
    loci
        Pairs of loci; makes burdens and locus importance, and with embeddings those by locus.
    source_scores, target_scores
        (m,) how damaging each marker is, for burdens.
    embeddings
        Of the source's n lines and of the target's c lines.
    random_embeddings
        The same by encoders with random weights: the control.
    options
        How heads are made.

    Returns
    -------
    CarriedHeads
        Heads and scores; none where nothing is shared.
    """
    options = options or HeadOptions()
    ours = summarise_markers(source.genotypes.dosage, source.genotypes.ploidy)
    products = centred_products(source.genotypes.dosage, source.genotypes.ploidy, ours)
    relationship = products.relationship()
    maker = _Maker(source, relationship, phenotyped, options)
    match = match_markers(source.genotypes.markers, target.markers)
    notes: list[str] = []
    if match.matched and match.share >= FEWEST_SHARED:
        maker.add_markers(match, ours, target)
        notes += list(match.notes())
    importance = members = None
    every = loci
    if loci is not None:
        here = locus_members(loci.source, source.genotypes.markers, options.reach)
        there = locus_members(loci.target, target.markers, options.reach)
        both = np.flatnonzero((here.getnnz(axis=1) > 0) & (there.getnnz(axis=1) > 0))
        loci = LocusMap(
            names=tuple(loci.names[i] for i in both),
            source=tuple(loci.source[i] for i in both),
            target=tuple(loci.target[i] for i in both),
            kind=loci.kind,
            notes=loci.notes,
        )
        notes += [*loci.notes, f"{len(loci):,} {loci.kind} have markers on both sides."]
        if len(loci) >= FEWEST_LOCI:
            here, members = here[both], there[both]
            if loci.kind != "windows of one genome":
                ours_b = locus_burdens(source.genotypes, here, source_scores)
                maker.add_features(BURDENS, ours_b, locus_burdens(target, members, target_scores))
            importance = maker.add_importance(ours, here, target, members)
    if embeddings is not None:
        random = [(here.pooled(), there.pooled()) for here, there in random_embeddings]
        ours_e, theirs_e = embeddings
        maker.add_features(EMBEDDINGS, ours_e.pooled(), theirs_e.pooled(), random=random)
        if every is not None:
            notes += maker.add_by_locus(every, embeddings, random_embeddings)
    usable = loci if members is not None else None
    return CarriedHeads(
        heads=tuple(maker.heads),
        scores=maker.scores,
        source_importance=importance,
        target_members=members,
        loci=usable,
        notes=tuple(notes),
    )


def _head_by_locus(pairs: LocusEmbeddings, products: LocusKernels) -> SourceHead:
    return SourceHead.of_products(BY_LOCUS, products.square, products.cross, len(pairs))


class _Maker:
    """Heads made one after the other of the same source."""

    def __init__(
        self, source: TransferSource, relationship: Matrix, phenotyped: Rows, options: HeadOptions
    ) -> None:
        self.source, self.relationship = source, relationship
        self.phenotyped, self.options = phenotyped, options
        self.heads: list[TransferHead] = []
        self.scores: dict[str, Vector] = {}
        self._rng = np.random.default_rng(options.seed)

    def add_markers(self, match: MarkerMatch, ours: MarkerSummary, target: Genotypes) -> None:
        """Marker effects of the source at the markers that both have: the model of one species."""
        found = np.flatnonzero((match.column >= 0) & ours.kept)
        if not len(found):
            return
        genotypes = self.source.genotypes
        kept = summarise_markers(genotypes.dosage[:, found], genotypes.ploidy)
        dosage = match.dosage(target)[:, found]
        here = centre(genotypes.dosage[:, found], genotypes.ploidy, kept)
        there = centre(dosage, target.ploidy, kept)
        unit = kept.ploidy / kept.scale
        head = SourceHead(
            name=MARKERS, square=here @ here.T * unit, cross=there @ here.T * unit, shared=len(found)
        )
        solved = gblup(self.source.y, [head.square])
        score = self.source.score
        if score is None:
            score = solved.components.kernels[0] * (head.cross @ solved.projected)
        spread = np.std(solved.components.kernels[0] * (head.square @ solved.projected))
        controls = TransferHead(name=MARKERS, source_spread=float(spread))
        self._add(head, score, (head.square,), solved.components, controls)

    def add_features(
        self, name: str, here: Matrix, there: Matrix, random: Sequence[tuple[Matrix, Matrix]] | None = None
    ) -> None:
        """Effects of features that both have; shuffled columns, or random encoders, are their control."""
        varying = (np.ptp(here, axis=0) > 0.0) & (np.ptp(there, axis=0) > 0.0)
        if random is None and not varying.sum() >= FEWEST_LOCI:
            return
        here, there = here[:, varying], there[:, varying]
        head = SourceHead.of(name, here, there)
        if not head.varies:
            return
        scorer = head.scorer(self.source.y, self.relationship)
        weights = scorer.weights(self.source.y)
        shuffled = None
        if random is None:
            effects = (here - here.mean(axis=0)).T @ weights
            orders = [self._rng.permutation(there.shape[1]) for _ in range(_SHUFFLES)]
            shuffled = np.array([(there[:, order] @ effects)[self.phenotyped] for order in orders])
        own_random = None if not random else self._own(random[0][1])
        controls = TransferHead(
            name=name,
            shuffled_scores=shuffled,
            random_weight_scores=self._other_scores(SourceHead.of(name, *each) for each in random or ()),
            own=self._own(there),
            own_random=own_random,
            source_spread=float(np.std(head.square @ weights)),
        )
        self._add(head, scorer.score(self.source.y), scorer.kernels, scorer.components, controls)

    def add_by_locus(
        self,
        loci: LocusMap,
        embeddings: tuple[EmbeddedLines, EmbeddedLines],
        random: Sequence[tuple[EmbeddedLines, EmbeddedLines]],
    ) -> list[str]:
        """Effects of what lines carry at each locus; shuffled loci and random encoders are the controls.

        Returns a sentence on the loci.
        """
        reach = self.options.reach
        pairs = LocusEmbeddings.of(*embeddings, loci, reach)
        note = f"{len(pairs):,} {loci.kind} have embeddings that differ between lines on both sides."
        if len(pairs) < FEWEST_LOCI:
            return [note]
        products = pairs.kernels()
        head = _head_by_locus(pairs, products)
        scorer = head.scorer(self.source.y, self.relationship)
        weights = scorer.weights(self.source.y)
        others = [LocusEmbeddings.of(*each, loci, reach) for each in random]
        made = [(each, each.kernels()) for each in others if len(each)]
        controls = TransferHead(
            name=BY_LOCUS,
            shuffled_scores=pairs.shuffled_scores(weights, _SHUFFLES, self._rng)[:, self.phenotyped],
            random_weight_scores=self._other_scores(_head_by_locus(*each) for each in made),
            own=self._own_kernel(products.own),
            own_random=self._own_kernel(made[0][1].own) if made else None,
            source_spread=float(np.std(head.square @ weights)),
        )
        self._add(head, scorer.score(self.source.y), scorer.kernels, scorer.components, controls)
        return [note]

    def _other_scores(self, heads: Iterable[SourceHead]) -> Matrix | None:
        """(R, N) scores of the phenotyped lines by heads of other encoders that vary; None without any."""
        y = self.source.y
        found = [head.scorer(y, self.relationship).score(y) for head in heads if head.varies]
        return np.array(found)[:, self.phenotyped] if found else None

    def _own(self, features: Matrix) -> Matrix:
        """Kernel of the phenotyped target lines' own features, with a mean diagonal of 1."""
        centred = features - features.mean(axis=0)
        return self._own_kernel(centred @ centred.T)

    def _own_kernel(self, products: Matrix) -> Matrix:
        """The phenotyped lines' part of products between all target lines, with a mean diagonal of 1."""
        square = products[np.ix_(self.phenotyped, self.phenotyped)]
        return np.asarray(square / (float(np.mean(np.diagonal(square))) or 1.0))

    def _add(
        self,
        head: SourceHead,
        score: Vector,
        kernels: tuple[Matrix, ...],
        components: VarianceComponents,
        controls: TransferHead,
    ) -> None:
        """Keep a head with its score, and the controls that are there with those of random traits."""
        traits = random_traits(kernels, components, self.options.random_traits, self._rng)
        random = random_scores(kernels, components, head.cross, traits)
        self.scores[head.name] = score
        self.heads.append(
            replace(controls, score=score[self.phenotyped], random_scores=random[:, self.phenotyped])
        )

    def add_importance(
        self, ours: MarkerSummary, here: csr_matrix, target: Genotypes, there: csr_matrix
    ) -> Vector:
        """A kernel of the target whose markers weigh as their loci matter to the source's trait."""
        genotypes = self.source.genotypes
        kept = np.flatnonzero(ours.kept)
        markers = centre(genotypes.dosage, genotypes.ploidy, ours)
        members = here[:, kept]

        solved = gblup(self.source.y, [self.relationship])
        traits = random_traits(
            (self.relationship,), solved.components, self.options.random_kernels, self._rng
        )
        statistics = association(markers, np.vstack([self.source.y, traits]), self.relationship)
        importance, *random_importance = [locus_importance(each, members) for each in statistics]
        lines = target.take(self.phenotyped)
        summary = summarise_markers(lines.dosage, lines.ploidy)

        def kernel_of(each: Vector) -> Matrix | None:
            weights = marker_weights(each, there)
            if not (summary.kept & (weights > 0.0)).any():
                return None
            weighted = summary.weighted(weights)
            return centred_products(lines.dosage, lines.ploidy, weighted).relationship()

        kernel = kernel_of(importance)
        if kernel is None:
            return importance
        random = [kernel_of(each) for each in random_importance]
        shuffled = [kernel_of(self._rng.permutation(importance)) for _ in range(self.options.random_kernels)]
        self.heads.append(
            TransferHead(
                name=IMPORTANCE,
                kernel=kernel,
                random_kernels=tuple(each for each in random if each is not None),
                shuffled_kernels=tuple(each for each in shuffled if each is not None),
            )
        )
        return importance
