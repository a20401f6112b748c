"""What a trait model learns from: a panel's kernels and markers, always made for one training set.

Models get a kernel *by training rows*. Frequencies, imputation, filters, centres and bandwidths come from
those rows, so nothing can leak from held-out accessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.cache import KernelCache
from budwood.prediction.kernels.dense_limit import is_large
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_ranges import RangedMarkers, RangeRunner
from budwood.stats.mixed_model.fixed_effects import independent_columns
from budwood.stats.relationship.fold_relationship import FoldRelationship
from budwood.stats.relationship.gaussian import gaussian_of, mean_distance
from budwood.stats.relationship.kernel_scaling import kernel_spread, recentred
from budwood.stats.relationship.relationship import (
    CentredProducts,
    MarkerSummary,
    Rows,
    centre,
)

T = TypeVar("T")

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

RELATIONSHIP: Final = "relationship"
GAUSSIAN: Final = "gaussian"
EMBEDDING_KERNEL: Final = "embedding"
#: Fewest records beyond the covariates with which these are fixed effects.
_LEFT_OVER: Final = 5
#: Rows whose kernel with landmarks is made at once.
_LANDMARK_ROWS: Final = 8_192


@dataclass(frozen=True)
class KernelName:
    """A kernel and its setting, written ``gaussian:0.5`` where it has one.

    Attributes
    ----------
    kind
        Of kernel.
    setting
        Empty where there is none.
    """

    kind: str
    setting: str = ""

    @classmethod
    def parse(cls, name: str) -> KernelName:
        """Split at the colon.

        Parameters
        ----------
        name
            Its name.

        Examples
        --------
        >>> KernelName.parse("gaussian:0.5")
        KernelName(kind='gaussian', setting='0.5')
        """
        return cls(*name.split(":", 1))

    @property
    def source(self) -> str:
        """The source of variance that the kernel stands for; bandwidths of one kernel are one source.

        Examples
        --------
        >>> KernelName.parse("gaussian:0.5").source, KernelName.parse("subgenome:A").source
        ('gaussian', 'subgenome A')
        """
        return self.kind if self.kind == GAUSSIAN else f"{self.kind} {self.setting}".strip()


class PanelKernels:
    """A panel seen by trait models.

    Parameters
    ----------
    genotypes
        n accessions.
    grams
        Further kernels by name, (n, n) inner products of features that were learnt without this panel's
        phenotypes and have any origin (the embedding kernel); the training rows centre and scale them.
    weights
        Further kernels by name, (m,) marker weights that know nothing of this panel's phenotypes either: a
        relationship of its own with each (``function``, ``subgenome:A``).
    relationship
        (n, n) relationship that the user gives, in the place of the markers'; the training rows centre and
        scale it. The Gaussian kernel and the kernels of ``weights`` stay those of the markers.
    covariates
        (n, q) covariates of the lines, 0 at their mean: fixed effects of the kernel models, which predict
        at the mean.
    runner
        Makes the products with markers of large training sets in processes of its own; this one makes them
        where None.

    Notes
    -----
    What was made for the last training set is kept, so that models with the same kernels share it.
    """

    def __init__(
        self,
        genotypes: Genotypes,
        grams: Mapping[str, Matrix] | None = None,
        weights: Mapping[str, Vector] | None = None,
        relationship: Matrix | None = None,
        covariates: Matrix | None = None,
        runner: RangeRunner | None = None,
    ) -> None:
        self.covariates = covariates
        self.runner = runner
        self.genotypes = genotypes
        self.relationship = relationship
        self.grams = dict(grams or {})
        self.weights = dict(weights or {})
        self._folds = FoldRelationship(genotypes.dosage, genotypes.ploidy)
        self._memo = KernelCache()

    def __len__(self) -> int:
        return len(self.genotypes.accessions)

    def take(self, rows: Rows) -> PanelKernels:
        """The chosen accessions only.

        Parameters
        ----------
        rows
            (c,) rows of the panel.

        Returns
        -------
        PanelKernels
            Kernels of that panel.
        """
        grams = {name: gram[np.ix_(rows, rows)] for name, gram in self.grams.items()}
        given = None if self.relationship is None else self.relationship[np.ix_(rows, rows)]
        covariates = None if self.covariates is None else self.covariates[rows]
        return PanelKernels(self.genotypes.take(rows), grams, self.weights, given, covariates, self.runner)

    def fresh(self) -> PanelKernels:
        """The same panel without anything that was made of it, to be sent to another process.

        Returns
        -------
        PanelKernels
            It makes all of it again.
        """
        return PanelKernels(self.genotypes, self.grams, self.weights, self.relationship, self.covariates)

    @property
    def further_kernels(self) -> tuple[str, ...]:
        """Names of this panel's kernels beyond ``relationship`` and ``gaussian``, for :meth:`kernel`."""
        return (*self.grams, *self.weights)

    def kernel(self, name: str, training: Rows) -> Matrix:
        """Kernel of all n accessions for a training set.

        ``relationship``, ``gaussian:BANDWIDTH`` (1 when none is given), or one of :attr:`further_kernels`.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        Matrix
            (n, n) symmetric.
        """
        parsed = KernelName.parse(name)
        if parsed.kind == RELATIONSHIP:
            return self._relationship(training)
        if parsed.kind == GAUSSIAN:
            squared = self._products(training).squared_distances()
            return gaussian_of(squared, float(parsed.setting or 1.0), self.mean_distance(training))
        if name in self.weights:
            return self._products(training, name).relationship()
        if name not in self.grams:
            raise ValueError(f"there is no kernel {name!r}")
        return recentred(self.grams[name], training)

    def training_kernel(self, name: str, training: Rows, chosen: Rows | None = None) -> Matrix:
        """(n, n) kernel between the training rows: a block of :meth:`kernel`, and no more of it is made.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.
        chosen
            Numbers of the training rows that are meant, all by default.

        Returns
        -------
        Matrix
            (n, n) symmetric.
        """
        parsed, own = KernelName.parse(name), None if chosen is None else np.ix_(chosen, chosen)
        if parsed.kind == GAUSSIAN and chosen is not None and is_large(len(training)):
            return self.landmark_kernel(name, training[chosen], training, chosen).astype(np.float64)
        if parsed.kind == GAUSSIAN:
            squared = self._training_distances(training)
            squared = squared if own is None else squared[own]
            return gaussian_of(squared, float(parsed.setting or 1.0), self.mean_distance(training))
        if own is not None and parsed.kind == RELATIONSHIP and self.relationship is None:
            return self._products(training).relationship(training[chosen], training[chosen])
        found = self.cross(name, training, training)
        return found if own is None else found[own]

    def spread(self, name: str, training: Rows, kernel: Matrix | None = None) -> float:
        """Expected sample variance among the training rows of an effect of unit variance.

        Parameters
        ----------
        name
            Name of the kernel.
        training
            (n,) rows of the training lines in the panel.
        kernel
            (n, n) :meth:`training_kernel` of that name, where it is at hand.

        Returns
        -------
        float
            :func:`budwood.stats.relationship.kernel_scaling.kernel_spread`.
        """

        def make() -> float:
            return kernel_spread(self.training_kernel(name, training) if kernel is None else kernel)

        return self._memo.recall(f"spread {name}", training, make)

    def cross(self, name: str, rows: Rows, training: Rows) -> Matrix:
        """(c, n) kernel between rows and the training rows: a block of :meth:`kernel`.

        Parameters
        ----------
        name
            Its name.
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        Matrix
            (c, n) block.
        """
        parsed = KernelName.parse(name)
        if parsed.kind == RELATIONSHIP and self.relationship is not None:
            return self._relationship(training)[np.ix_(rows, training)]
        if parsed.kind == RELATIONSHIP or name in self.weights:
            weights = name if name in self.weights else ""
            return self._products(training, weights).relationship(rows, training)
        if parsed.kind == GAUSSIAN:
            squared = self._products(training).squared_distances(rows, training)
            return gaussian_of(squared, float(parsed.setting or 1.0), self.mean_distance(training))
        return self.kernel(name, training)[np.ix_(rows, training)]

    def landmark_kernel(self, name: str, rows: Rows, training: Rows, landmarks: Rows) -> NDArray[np.float32]:
        """(c, L) Gaussian kernel between rows and some of the training rows, made in blocks of markers.

        Parameters
        ----------
        name
            Its name.
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.
        landmarks
            (L,) numbers of training rows.

        Returns
        -------
        ndarray
            (c, L) in single precision.
        """
        found = np.empty((len(rows), len(landmarks)), dtype=np.float32)
        places = training[landmarks]
        others = self.centred_markers(places, training)
        for start in range(0, len(rows), _LANDMARK_ROWS):
            part = rows[start : start + _LANDMARK_ROWS]
            squared = others.squared_distances(self.centred_markers(part, training))
            squared[part[:, None] == places] = 0.0
            bandwidth = float(KernelName.parse(name).setting or 1.0)
            found[start : start + len(part)] = gaussian_of(squared, bandwidth, self.mean_distance(training))
        return found

    def own(self, name: str, rows: Rows, training: Rows) -> Vector:
        """(c,) kernel of each row with itself: part of the diagonal of :meth:`kernel`.

        Parameters
        ----------
        name
            Its name.
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        parsed = KernelName.parse(name)
        if parsed.kind == GAUSSIAN:
            return np.ones(len(rows))
        if parsed.kind == RELATIONSHIP and self.relationship is not None:
            return np.diagonal(self._relationship(training))[rows]
        if parsed.kind == RELATIONSHIP and is_large(len(training)):
            markers = self.centred_markers(rows, training)
            return markers.squares * markers.unit
        if parsed.kind == RELATIONSHIP or name in self.weights:
            products = self._products(training, name if name in self.weights else "")
            return np.diagonal(products.products)[rows] * products.unit
        return np.diagonal(self.kernel(name, training))[rows]

    def mean_distance(self, training: Rows) -> float:
        """Mean squared marker distance of two training rows, the unit of Gaussian bandwidths.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        float
            In units of squared allele frequency.
        """
        if is_large(len(training)):
            make = self.centred_markers(training, training).mean_distance
            return self._memo.recall("mean distance", training, make)
        return self._memo.recall(
            "mean distance",
            training,
            lambda: mean_distance(self._training_distances(training)),
        )

    def summary(self, training: Rows) -> MarkerSummary:
        """Allele frequencies of the training rows, and which markers take part.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        MarkerSummary
            Frequencies, markers kept and weights.
        """
        return self._memo.recall("summary", training, lambda: self._folds.summary(training))

    def centred_markers(self, rows: Rows, training: Rows) -> CentredMarkers:
        """Products with the markers of rows, made in blocks, with the means of the training rows.

        Parameters
        ----------
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CentredMarkers
            Of the rows.
        """
        genotypes = self.genotypes
        return CentredMarkers(
            dosage=genotypes.dosage, ploidy=genotypes.ploidy, summary=self.summary(training), rows=rows
        )

    def ranged_markers(self, rows: Rows, training: Rows) -> CentredMarkers:
        """:meth:`centred_markers` for many passes: held by the runner, where there is one.

        Parameters
        ----------
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CentredMarkers
            Of the rows.
        """
        markers = self.centred_markers(rows, training)
        return markers if self.runner is None else RangedMarkers.of(markers, self.runner)

    def markers(self, training: Rows) -> Matrix:
        """(n, markers kept) allele frequencies minus training means, missing 0: features for other models.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        dosage, ploidy = self.genotypes.dosage, self.genotypes.ploidy
        return self._memo.recall("markers", training, lambda: centre(dosage, ploidy, self.summary(training)))

    def training_markers(self, training: Rows) -> Matrix:
        """(n, markers kept) the training rows of :meth:`markers`, shared by all that read them.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        Matrix
            Not to be changed.
        """
        return self._memo.recall("training markers", training, lambda: self.markers(training)[training])

    def recall(self, name: str, training: Rows, make: Callable[[], T]) -> T:
        """What was made of a training set without trait values, kept by name until the next training set.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.
        make
            Makes it, where it is not kept.

        Returns
        -------
        T
            What was made.
        """
        return self._memo.recall(name, training, make)

    def recall_for(
        self, name: str, training: Rows, given: tuple[NDArray[Any] | None, ...], make: Callable[[], T]
    ) -> T:
        """What was made of a training set and of vectors, such as trait values: the last one of each name.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.
        given
            The vectors.
        make
            Makes it, where it is not kept.

        Returns
        -------
        T
            What was made.
        """
        return self._memo.recall_for(name, training, given, make)

    def fixed(self, training: Rows) -> Matrix | None:
        """(n, 1 + q) intercept and covariates of the training rows, those that others determine left out.

        Parameters
        ----------
        training
            (n,) training rows.

        Returns
        -------
        ndarray or None
            None for an intercept alone: without covariates, or where they would leave hardly any record.
        """
        covariates = self.covariates
        if covariates is None:
            return None

        def make() -> Matrix:
            rows = covariates[training]
            own = independent_columns(np.column_stack([np.ones(len(rows)), rows]))
            return np.column_stack([np.ones(len(rows)), rows])[:, own]

        found = self.recall("fixed", training, make)
        return found if 1 < found.shape[1] <= len(found) - _LEFT_OVER else None

    def lines(self, rows: Rows, training: Rows) -> PanelLines:
        """Rows of this panel as models fitted to the training rows see them.

        Parameters
        ----------
        rows
            (c,) rows of the panel.
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        PanelLines
            Lines for :class:`FittedEstimator`.
        """
        return PanelLines(self, np.asarray(rows, dtype=np.intp), np.asarray(training, dtype=np.intp))

    def lap(self) -> float:
        """Seconds that a model alone would have needed since the last lap (see :class:`KernelCache`).

        Returns
        -------
        float
            Seconds.
        """
        return self._memo.lap()

    def _training_distances(self, training: Rows) -> Matrix:
        """(n, n) squared distances between the training rows."""
        make = lambda: self._products(training).squared_distances(training, training)  # noqa: E731
        return self._memo.recall("training distances", training, make)

    def _relationship(self, training: Rows) -> Matrix:
        """The markers' relationship, or the one that the user gave, centred by the training rows."""
        given = self.relationship
        if given is None:
            return self._products(training).relationship()
        return self._memo.recall("relationship given", training, lambda: recentred(given, training))

    def _products(self, training: Rows, weights: str = "") -> CentredProducts:
        """Inner products of the centred markers, of all alike or with the weights of that name."""
        return self._memo.recall(f"products {weights}", training, lambda: self._make(training, weights))

    def _make(self, training: Rows, weights: str) -> CentredProducts:
        summary = self.summary(training)
        if weights:
            summary = summary.weighted(self.weights[weights])
        return self._folds.products(summary)


@dataclass(frozen=True)
class PanelLines:
    """Lines of a panel, from its cached kernels (see :class:`budwood.prediction.contract.Lines`).

    Attributes
    ----------
    kernels
        The panel.
    rows
        (c,) the lines.
    training
        (n,) the training lines.
    """

    kernels: PanelKernels
    rows: Rows
    training: Rows

    def __len__(self) -> int:
        return len(self.rows)

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
        return self.kernels.cross(kernel, self.rows, self.training)

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
        return self.kernels.own(kernel, self.rows, self.training)

    def markers(self) -> Matrix:
        """(c, m) centred relative allele frequencies of the markers kept.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        return self.kernels.markers(self.training)[self.rows]

    def training_markers(self) -> Matrix:
        """(n, m) the same of the training lines.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        return self.kernels.training_markers(self.training)

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
        return self.kernels.landmark_kernel(kernel, self.rows, self.training, landmarks)

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
        return self.kernels.centred_markers(self.rows, self.training)

    @property
    def known_position(self) -> Rows:
        """(c,) position among the training lines, whose calls are those that were fitted."""
        return self.training_position

    @property
    def training_position(self) -> Rows:
        """(c,) position among the training lines, -1 for others."""
        position = np.full(len(self.kernels), -1, dtype=np.intp)
        position[self.training] = np.arange(len(self.training))
        return position[self.rows]
