"""What a fitted model keeps of its training lines, and new lines as the model sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, shown
from budwood.genomics.checks.marker_match import MarkerMatch, match_markers
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.panel_kernels import (
    EMBEDDING_KERNEL,
    GAUSSIAN,
    RELATIONSHIP,
    KernelName,
    PanelKernels,
)
from budwood.prediction.kernels.training_haplotypes import TrainingHaplotypes
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.relationship.gaussian import gaussian_of
from budwood.stats.relationship.relationship import MarkerSummary, Rows, centre, missing_squares

T = TypeVar("T")

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Markers handled at once: a block of 5,000 lines takes 160 MB.
_BLOCK: Final = 4096
#: Most entries of a block whose squares are summed up.
_ENTRIES: Final = 32_000_000


@dataclass(frozen=True, kw_only=True)
class TrainingLines:
    """Genotypes of n training lines at the m markers that the model uses, and what was learnt from them.

    Attributes
    ----------
    accessions
        n ids.
    markers
        m markers.
    dosage, ploidy
        (n, m) and (n,), as in :class:`~budwood.genomics.genotypes.Genotypes`.
    frequency, variance
        (m,) mean and variance of the relative allele frequency.
    mean_ploidy
        Of the training lines.
    weights
        (m,) marker weights of further kernels, by name.
    mean_distance
        Mean squared marker distance of two training lines.
    haplotypes
        Their sequences, where the model reads sequence.
    """

    accessions: tuple[str, ...]
    markers: Markers
    dosage: NDArray[np.int8] | NDArray[np.float32]
    ploidy: NDArray[np.int8]
    frequency: Vector
    variance: Vector
    mean_ploidy: float
    weights: Mapping[str, Vector] = field(default_factory=dict)
    mean_distance: float
    haplotypes: TrainingHaplotypes | None = None

    @classmethod
    def of(
        cls, kernels: PanelKernels, training: Rows, haplotypes: TrainingHaplotypes | None = None
    ) -> TrainingLines:
        """Keep the training rows of a panel.

        Parameters
        ----------
        kernels
            The panel that a model was fitted in.
        training
            (n,) its training rows, in the order they were fitted in.
        haplotypes
            Sequences of the same lines in the same order.
        """
        summary = kernels.summary(training)
        kept = np.flatnonzero(summary.kept)
        genotypes = kernels.genotypes
        return cls(
            accessions=tuple(genotypes.accessions[row] for row in training),
            markers=genotypes.markers.take(kept),
            dosage=genotypes.dosage[np.ix_(training, kept)],
            ploidy=genotypes.ploidy[training],
            frequency=summary.frequency[kept],
            variance=summary.variance[kept],
            mean_ploidy=summary.ploidy,
            weights={name: weights[kept] for name, weights in kernels.weights.items()},
            mean_distance=kernels.mean_distance(training),
            haplotypes=haplotypes,
        )

    @property
    def summary(self) -> MarkerSummary:
        """Training means, all markers kept."""
        every = np.ones(len(self.frequency), dtype=np.bool_)
        return MarkerSummary(self.frequency, every, self.variance, self.mean_ploidy)

    def weighted_summary(self, kernel: str) -> MarkerSummary:
        """The summary with the weights of a further kernel, or without for the relationship itself.

        Parameters
        ----------
        kernel
            Name of the kernel.

        Returns
        -------
        MarkerSummary
            Frequencies, markers kept and weights.
        """
        return self.summary.weighted(self.weights[kernel]) if kernel in self.weights else self.summary

    @cached_property
    def centred(self) -> Matrix:
        """(n, m) relative allele frequencies minus their means, missing 0."""
        return centre(self.dosage, self.ploidy, self.summary)

    @cached_property
    def row(self) -> dict[str, int]:
        """Position of each training line."""
        return {name: i for i, name in enumerate(self.accessions)}

    @cached_property
    def products(self) -> CentredMarkers:
        """Products with the markers of the training lines, made in blocks."""
        return CentredMarkers(dosage=self.dosage, ploidy=self.ploidy, summary=self.summary)

    def square(self, kernel: str, position: Rows | None = None) -> Vector:
        """(n,) product of each training line's centred markers with itself, unknown entries included.

        Parameters
        ----------
        kernel
            Name of the kernel.
        position
            (c,) training lines that are meant; all by default.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        dosage = self.dosage if position is None else self.dosage[position]
        ploidy = self.ploidy if position is None else self.ploidy[position]
        return _squares(dosage, ploidy, self.weighted_summary(kernel))


class NewLines:
    """Lines of any file, as a model sees them (see :class:`budwood.prediction.contract.Lines`).

    Parameters
    ----------
    training
        The model's training lines.
    genotypes
        c accessions. Their markers are matched to the model's by place and alleles, or by name; those that
        the file lacks are missing, and the uncertainty of every prediction grows accordingly.
    haplotypes, vectors
        Sequences of the same accessions and their embeddings, where the model reads sequence.
    match
        Where the model's markers are in the genotypes; found out when None.
    minimum_share
        Share of the model's markers below which the file is refused.

    Raises
    ------
    BudwoodError
        If too few markers match, or the model reads sequence and none is given.
    """

    def __init__(
        self,
        training: TrainingLines,
        genotypes: Genotypes,
        *,
        haplotypes: HaplotypeTable | None = None,
        vectors: NDArray[np.float32] | None = None,
        match: MarkerMatch | None = None,
        minimum_share: float = 0.1,
    ) -> None:
        self.training = training
        self.accessions = genotypes.accessions
        self.match = match or match_markers(training.markers, genotypes.markers)
        if self.match.share < minimum_share:
            raise BudwoodError(
                f"{self.match.matched:,} of the model's {len(self.match.column):,} markers are in the "
                f"genotypes, fewer than {minimum_share:.0%}",
                mend="give genotypes of the same markers: the same genome build, or the same marker names",
            )
        self._dosage, self._ploidy = self.match.dosage(genotypes), genotypes.ploidy
        self._haplotypes, self._vectors = haplotypes, vectors
        self._made: dict[str, object] = {}

    def __len__(self) -> int:
        return len(self.accessions)

    @property
    def missing_share(self) -> Vector:
        """(c,) share of the model's markers that each line has no call at."""
        return np.asarray(np.mean(~(self._dosage >= 0), axis=1), dtype=np.float64)

    @property
    def training_position(self) -> Rows:
        """(c,) position among the training lines of the same accession, -1 for others."""
        return np.array([self.training.row.get(name, -1) for name in self.accessions], dtype=np.intp)

    @cached_property
    def _training_lines(self) -> tuple[Rows, Rows]:
        """Lines that are training lines with the same calls, and their positions among these."""
        position = self.training_position
        named = np.flatnonzero(position >= 0)
        ours, theirs = self._dosage[named], self.training.dosage[position[named]]
        same = ((ours == theirs) | (~(ours >= 0) & ~(theirs >= 0))).all(axis=1)
        return named[same], position[named[same]]

    def cross(self, kernel: str) -> Matrix:
        """(c, n) kernel between the lines and the training lines.

        Parameters
        ----------
        kernel
            Name of the kernel.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        parsed = KernelName.parse(kernel)
        if kernel == EMBEDDING_KERNEL:
            return self._embedding()[0]
        if parsed.kind == GAUSSIAN:
            return gaussian_of(self._distances(), float(parsed.setting or 1.0), self.training.mean_distance)
        self._check_known(kernel)
        return self._products(kernel) * self._unit(kernel)

    def own(self, kernel: str) -> Vector:
        """(c,) kernel of each line with itself.

        Parameters
        ----------
        kernel
            Name of the kernel.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        if kernel == EMBEDDING_KERNEL:
            return self._embedding()[1]
        if KernelName.parse(kernel).kind == GAUSSIAN:
            return np.ones(len(self))
        self._check_known(kernel)
        return self._square(kernel) * self._unit(kernel)

    @property
    def known_position(self) -> Rows:
        """(c,) position among the training lines of a line with the same calls, -1 for others."""
        lines, place = self._training_lines
        position = np.full(len(self), -1, dtype=np.intp)
        position[lines] = place
        return position

    def marker_products(self, effects: Matrix, *, exact: bool = False) -> Matrix:
        """(c, k) products of the centred markers with columns.

        Parameters
        ----------
        effects
            (m, k) a number for each marker.
        exact
            Whether to multiply in double precision.

        Returns
        -------
        Matrix
            (c, k).
        """
        return self._centred.times(effects, exact=exact)

    def landmark_kernel(self, kernel: str, landmarks: Rows) -> NDArray[np.float32]:
        """(c, L) Gaussian kernel between the lines and some of the training lines.

        Parameters
        ----------
        kernel
            Name of the kernel.
        landmarks
            (L,) numbers of training lines.

        Returns
        -------
        ndarray
            (c, L) in single precision.
        """
        others = replace(self.training.products, rows=landmarks)
        squared = others.squared_distances(self._centred)
        lines, position = self._training_lines
        place = np.full(len(self.training.accessions), -1, dtype=np.intp)
        place[landmarks] = np.arange(len(landmarks))
        same = place[position] >= 0
        squared[lines[same], place[position[same]]] = 0.0
        bandwidth = float(KernelName.parse(kernel).setting or 1.0)
        return gaussian_of(squared, bandwidth, self.training.mean_distance).astype(np.float32)

    def unknown_squares(self) -> Vector:
        """(c,) part of the relationship with itself that missing calls have.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        return self._centred.missing_squares * self._centred.unit

    @cached_property
    def _centred(self) -> CentredMarkers:
        return CentredMarkers(dosage=self._dosage, ploidy=self._ploidy, summary=self.training.summary)

    def markers(self) -> Matrix:
        """(c, m) relative allele frequencies minus the training means, missing 0.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        return self._kept("markers", lambda: centre(self._dosage, self._ploidy, self.training.summary))

    def training_markers(self) -> Matrix:
        """(n, m) the same of the training lines.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        return self.training.centred

    def _check_known(self, kernel: str) -> None:
        if kernel != RELATIONSHIP and kernel not in self.training.weights:
            raise ValueError(f"there is no kernel {kernel!r}")

    def _unit(self, kernel: str) -> float:
        summary = self.training.weighted_summary(kernel)
        return summary.ploidy / summary.scale

    def _products(self, kernel: str) -> Matrix:
        """(c, n) inner products of centred markers, with the weights of a kernel."""

        def make() -> Matrix:
            weights = self.training.weights.get(kernel)
            markers = self.markers() if weights is None else self.markers() * weights
            if is_large(len(self.training.accessions)):
                found = self.training.products.times(markers.T).T
            else:
                found = np.zeros((len(self), len(self.training.accessions)))
                for start in range(0, markers.shape[1], _BLOCK):
                    columns = slice(start, start + _BLOCK)
                    found += markers[:, columns] @ self.training.centred[:, columns].T
            lines, position = self._training_lines
            if len(lines):
                # A training line's kernel with itself includes what is unknown of it.
                found[lines, position] = self.training.square(kernel, position)
            return found

        return self._kept(f"products {kernel if kernel in self.training.weights else ''}", make)

    def _square(self, kernel: str) -> Vector:
        return _squares(self._dosage, self._ploidy, self.training.weighted_summary(kernel))

    def _distances(self) -> Matrix:
        def make() -> Matrix:
            own, other = self._square(RELATIONSHIP), self.training.square(RELATIONSHIP)
            distances = own[:, None] + other[None, :] - 2.0 * self._products(RELATIONSHIP)
            distances[self._training_lines] = 0.0
            return np.maximum(distances, 0.0) / self.training.summary.scale

        return self._kept("distances", make)

    def _embedding(self) -> tuple[Matrix, Vector]:
        trained, table, vectors = self.training.haplotypes, self._haplotypes, self._vectors
        if trained is None or table is None or vectors is None:
            raise BudwoodError(
                "the model reads sequence, and no sequence of the new lines was given",
                mend="give the reference genome the model was fitted with, and genotypes with allele letters",
            )
        return self._kept("embedding", lambda: trained.kernel(table, vectors))

    def _kept(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])


def check_share(share: float) -> None:
    """Refuse a share of markers that is none.

    Parameters
    ----------
    share
        Between 0 and 1.

    Raises
    ------
    BudwoodError
        If it is something else.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise BudwoodError(
            f"the smallest share of matched markers, {shown(share)}, is no share",
            mend="give a number from 0 to 1",
        )


def _squares(
    dosage: NDArray[np.int8] | NDArray[np.float32], ploidy: NDArray[np.int8], summary: MarkerSummary
) -> Vector:
    """(rows,) weighted squares of centred markers, with the expected squares of missing ones."""
    weights = np.ones(len(summary.frequency)) if summary.weight is None else summary.weight
    total = np.zeros(len(dosage))
    size = max(min(_BLOCK, _ENTRIES // max(len(dosage), 1)), 16)
    for start in range(0, dosage.shape[1], size):
        columns = slice(start, start + size)
        z = centre(dosage[:, columns], ploidy, summary, columns)
        kept = summary.kept[columns]
        total += (z**2) @ weights[columns][kept]
        total += missing_squares(dosage[:, columns], summary, columns)
    return total
