"""TraitModel: a description of a model that learns a trait of a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, shown, suggestion
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.panel import Panel
from budwood.prediction.contract import Estimator, fit_notes, fit_several
from budwood.prediction.covariates import Covariates, adjust_for_covariates
from budwood.prediction.fitted_trait_model import FittedTraitModel, StructureAxes
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.nearest_relatives import (
    extrapolation_limit,
    nearest_relatives,
    relatives_of,
)
from budwood.prediction.kernels.panel_kernels import EMBEDDING_KERNEL, RELATIONSHIP, PanelKernels
from budwood.prediction.kernels.training_haplotypes import TrainingHaplotypes
from budwood.prediction.kernels.training_lines import TrainingLines
from budwood.prediction.models.registry import MODEL_NAMES, check_seed, model_named
from budwood.prediction.phenotyped import PhenotypedLines, match_phenotyped
from budwood.stats.matrix_free.marker_ranges import RangeRunner
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Vector = NDArray[np.float64]

#: Training lines whose nearest relatives are looked up where there are too many to look up all.
_SAMPLE: Final = 500


@dataclass(frozen=True)
class TraitModel:
    """A model of a trait, ready to learn from any panel.

    Attributes
    ----------
    model
        Name of the model, of :data:`budwood.prediction.models.registry.MODEL_NAMES`.
    seed
        Of everything that the model draws.

    Raises
    ------
    BudwoodError
        If there is no such model, or the seed is no whole number from 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.integers(0, 3, (40, 60)).astype(np.int8)
    >>> panel = Genotypes.from_matrix([f"line{i}" for i in range(40)], dosage)
    >>> height = dosage[:, :5].sum(axis=1) + rng.normal(size=40)
    >>> height[30:] = np.nan  # not phenotyped
    >>> fitted = TraitModel("gblup").fit(panel, height)
    >>> fitted.predict(panel.take(range(30, 40))).prediction.shape
    (10,)
    """

    model: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.model, str):
            raise BudwoodError(f"{shown(self.model)} is no name of a model", mend=suggestion("", MODEL_NAMES))
        check_seed(self.seed)
        model_named(self.model)

    def fit(
        self,
        panel: Panel | Genotypes,
        y: str | AccessionMeans | Mapping[str, float] | ArrayLike,
        *,
        trait: str = "",
        covariates: Covariates | None = None,
        runner: RangeRunner | None = None,
    ) -> FittedTraitModel:
        """Learn a trait from the phenotyped lines of a panel.

        The result does not depend on the order of the panel's lines or markers.

        Parameters
        ----------
        panel
            Genotypes of n lines, or a panel that also holds phenotypes, haplotypes with vectors, or marker
            weights; all of them are used.
        y
            Name of a trait of the panel, values by accession (a mapping, or a pandas Series with ids as its
            index), or n values in the order of the genotypes; NaN where a line is not phenotyped.
        trait
            Name of the trait where ``y`` is not a name.
        covariates
            What values are adjusted for, by name and accession: numbers, or levels as strings (see
            :func:`~budwood.prediction.covariates.adjust_for_covariates`).
        runner
            Where products with markers are made for ``gblup`` above 6,000 lines:
            :class:`~budwood.prediction.kernels.ray_ranges.RayRanges` on a cluster; here where None.

        Returns
        -------
        FittedTraitModel
            Predicts any lines, and can be saved.

        Raises
        ------
        BudwoodError
            If the model does not exist or needs what the panel lacks, under 10 lines are phenotyped, or the
            trait does not vary.
        """
        name = y if isinstance(y, str) else trait
        return self._fit(panel, {name: y}, covariates, runner)[name]

    def fit_traits(
        self,
        panel: Panel | Genotypes,
        y: Sequence[str] | Mapping[str, AccessionMeans | Mapping[str, float] | ArrayLike],
        *,
        covariates: Covariates | None = None,
        runner: RangeRunner | None = None,
    ) -> dict[str, FittedTraitModel]:
        """Learn several traits, those with the same phenotyped lines together.

        Above 6,000 phenotyped lines ``gblup`` then reads the markers once for all of them, for much less than
        one trait after another; predictions are those of each trait alone, but for the Monte Carlo error of
        variance components. Other models are fitted one after another.

        Parameters
        ----------
        panel
            As for :meth:`fit`.
        y
            Names of traits of the panel, or values by name of the trait.
        covariates, runner
            As for :meth:`fit`.

        Returns
        -------
        dict
            A fitted model for each trait.

        Raises
        ------
        BudwoodError
            As for :meth:`fit`, for any of the traits.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> dosage = rng.integers(0, 3, (40, 60)).astype(np.int8)
        >>> panel = Genotypes.from_matrix([f"line{i}" for i in range(40)], dosage)
        >>> height = dosage[:, :5].sum(axis=1) + rng.normal(size=40)
        >>> width = dosage[:, 5:9].sum(axis=1) + rng.normal(size=40)
        >>> list(TraitModel("gblup").fit_traits(panel, {"height": height, "width": width}))
        ['height', 'width']
        """
        if isinstance(y, str) or not len(y):
            raise BudwoodError("these are no traits", mend="give a list of names, or values by name")
        return self._fit(
            panel, y if isinstance(y, Mapping) else {name: name for name in y}, covariates, runner
        )

    def _fit(
        self,
        panel: Panel | Genotypes,
        y: Mapping[str, str | AccessionMeans | Mapping[str, float] | ArrayLike],
        covariates: Covariates | None,
        runner: RangeRunner | None,
    ) -> dict[str, FittedTraitModel]:
        estimator = model_named(self.model, seed=self.seed)
        if isinstance(panel, Panel) and panel.kinship is not None:
            raise BudwoodError(
                "a model that leaves its panel knows lines by their markers, and new lines have no kinship "
                "with the training lines",
                mend="fit without it, or predict the lines of the panel with budwood predict --kinship",
            )
        check_is_genotypes(panel.genotypes if isinstance(panel, Panel) else panel)
        data = FitData.of(panel)
        groups: dict[bytes, list[_Values]] = {}
        for name, values in y.items():
            means = _means(panel, data.genotypes, values)
            if covariates:
                means = adjust_for_covariates(data.genotypes, means, covariates, name)
            lines = match_phenotyped(data.genotypes, means.values, name, weights=means.weights)
            each = _Values(name, means, lines)
            groups.setdefault(each.shared(data.genotypes), []).append(each)
        found: dict[str, FittedTraitModel] = {}
        for group in groups.values():
            lines = group[0].lines
            models = fit_panel_traits(
                data,
                estimator,
                self.model,
                lines.rows,
                {each.trait: each.lines.y for each in group},
                weights=lines.weights,
                kernels=data.kernels(group[0].means, runner),
                notes={each.trait: (*each.means.notes, *each.lines.notes) for each in group},
            )
            found |= models
        return {name: found[name] for name in y}

    @staticmethod
    def load(folder: Path | str) -> FittedTraitModel:
        """Read a saved model; see :meth:`FittedTraitModel.load`.

        Parameters
        ----------
        folder
            Where it was saved.

        Returns
        -------
        FittedTraitModel
            A model that predicts any line.
        """
        return FittedTraitModel.load(folder)


@dataclass(frozen=True)
class _Values:
    """A trait's values, and the lines that have one."""

    trait: str
    means: AccessionMeans
    lines: PhenotypedLines

    def shared(self, genotypes: Genotypes) -> bytes:
        """The same for traits whose lines are analysed in the same way."""
        weights, design = self.lines.weights, self.means.design(genotypes.accessions)
        parts = [self.lines.rows, *(each for each in (weights, design) if each is not None)]
        return b"|".join([*(each.tobytes() for each in parts), b"" if weights is None else b"weights"])


@dataclass(frozen=True, kw_only=True)
class FitData:
    """What a model learns from, in an order that does not depend on the files.

    Attributes
    ----------
    genotypes
        Lines sorted by id, markers by place.
    haplotypes, vectors, digest
        Their sequences, embeddings and the checkpoint's digest, where there are some.
    weights
        Marker weights by kernel.
    """

    genotypes: Genotypes
    haplotypes: HaplotypeTable | None = None
    vectors: NDArray[np.float32] | None = None
    digest: str = ""
    weights: Mapping[str, Vector]

    @classmethod
    def of(cls, panel: Panel | Genotypes) -> FitData:
        """The parts of a panel in order.

        Parameters
        ----------
        panel
            Genotypes, perhaps with haplotypes and their vectors.
        """
        if isinstance(panel, Genotypes):
            return cls(genotypes=panel, weights={}).in_order()
        vectors = panel.vectors
        return cls(
            genotypes=panel.genotypes,
            haplotypes=panel.haplotypes,
            vectors=None if vectors is None else vectors.values,
            digest="" if vectors is None else vectors.digest,
            weights=panel.weights.by_kernel,
        ).in_order()

    def in_order(self) -> FitData:
        """Lines sorted by id and markers by place.

        Returns
        -------
        FitData
            The parts, aligned.
        """
        rows, columns = self.genotypes.order()
        return replace(
            self,
            genotypes=self.genotypes.take(rows).take_markers(columns),
            haplotypes=None if self.haplotypes is None else self.haplotypes.take(rows),
            weights={name: weights[columns] for name, weights in self.weights.items()},
        )

    def kernels(self, means: AccessionMeans | None = None, runner: RangeRunner | None = None) -> PanelKernels:
        """The panel as models learn from it.

        Parameters
        ----------
        means
            Values that come with covariates, which are fixed effects of kernel models.
        runner
            Makes products with the markers of large training sets.

        Returns
        -------
        PanelKernels
            Kernels of that panel.
        """
        grams = {}
        if self.haplotypes is not None and self.vectors is not None:
            table = self.haplotypes
            grams[EMBEDDING_KERNEL] = haplotype_kernel(table.codes, table.offsets, self.vectors)
        design = None if means is None else means.design(self.genotypes.accessions)
        return PanelKernels(self.genotypes, grams, self.weights, covariates=design, runner=runner)


def fit_panel(
    data: FitData,
    estimator: Estimator,
    name: str,
    rows: NDArray[np.intp],
    y: Vector,
    *,
    weights: Vector | None = None,
    kernels: PanelKernels | None = None,
    trait: str = "",
    notes: tuple[str, ...] = (),
) -> FittedTraitModel:
    """Fit an estimator to rows of a panel and keep what it needs to predict any line.

    Parameters
    ----------
    data
        The panel.
    estimator, name
        The model and the name by which it is chosen.
    rows, y
        (n,) training rows of the genotypes and their trait values.
    weights
        (n,) weights of the values, None for equal ones.
    kernels
        Kernels of the same panel, where they were made before.
    trait, notes
        Name of the trait, and sentences that the model keeps.

    Returns
    -------
    FittedTraitModel
        A model that predicts any line.

    Raises
    ------
    BudwoodError
        If the model cannot be fitted to these lines.
    """
    models = fit_panel_traits(
        data, estimator, name, rows, {trait: y}, weights=weights, kernels=kernels, notes={trait: notes}
    )
    return models[trait]


def fit_panel_traits(
    data: FitData,
    estimator: Estimator,
    name: str,
    rows: NDArray[np.intp],
    y: Mapping[str, Vector],
    *,
    weights: Vector | None = None,
    kernels: PanelKernels | None = None,
    notes: Mapping[str, tuple[str, ...]],
) -> dict[str, FittedTraitModel]:
    """:func:`fit_panel` for several traits of the same rows.

    Parameters
    ----------
    data, estimator, name, rows
        As for :func:`fit_panel`.
    y
        (n,) values of each trait.
    weights, kernels
        As for :func:`fit_panel`.
    notes
        Sentences that each trait's model keeps.

    Returns
    -------
    dict
        A model for each trait.

    Raises
    ------
    BudwoodError
        If a model cannot be fitted to these lines.
    """
    kernels = kernels or data.kernels()
    if name.partition(":")[0] == "gblup+dna" and EMBEDDING_KERNEL not in kernels.grams:
        raise BudwoodError(
            f"model {name!r} reads sequence",
            mend="give a panel with haplotypes and vectors, or another model",
        )
    fits = fit_several(estimator, kernels, rows, np.column_stack(list(y.values())), weights)
    relatedness, structure = _relatives(kernels, rows)
    found = {}
    for (trait, values), fitted in zip(y.items(), fits, strict=True):
        haplotypes, table, vectors = None, data.haplotypes, data.vectors
        if table is not None and vectors is not None and EMBEDDING_KERNEL in _kernels_of(fitted):
            haplotypes = TrainingHaplotypes.of(table, vectors, rows, data.digest)
        found[trait] = FittedTraitModel(
            trait=trait,
            model=estimator.name,
            name=name,
            training=TrainingLines.of(kernels, rows, haplotypes),
            observed=values,
            estimator=fitted,
            extrapolation_below=extrapolation_limit(relatedness),
            structure=structure,
            notes=(*notes[trait], *fit_notes(fitted)),
        )
    return found


def _relatives(kernels: PanelKernels, rows: NDArray[np.intp]) -> tuple[Vector, StructureAxes]:
    """Relatedness of training lines with their nearest others (a sample of many), and the axes of all."""
    if not is_large(len(rows)):
        square = kernels.cross(RELATIONSHIP, rows, rows)
        return nearest_relatives(square, np.arange(len(rows)))[1], StructureAxes.of(square)
    markers = kernels.centred_markers(rows, rows)
    sample = np.sort(np.random.default_rng(0).choice(len(rows), _SAMPLE, replace=False))
    own = markers.squares * markers.unit
    cross = markers.relationship_with(kernels.centred_markers(rows[sample], rows))
    _, relatedness = relatives_of(cross, own[sample], own, sample)
    return relatedness, StructureAxes.of_markers(markers)


def _kernels_of(fitted: object) -> tuple[str, ...]:
    """Names of the kernels that a fitted estimator uses, its parts included."""
    names = tuple(getattr(fitted, "names", ()))
    for part in ("fitted", "shape", "predictor", "members"):
        inner = getattr(fitted, part, ())
        for each in inner if isinstance(inner, tuple) else (inner,):
            names += _kernels_of(each)
    return names


def _means(
    panel: Panel | Genotypes,
    genotypes: Genotypes,
    y: str | AccessionMeans | Mapping[str, float] | ArrayLike,
) -> AccessionMeans:
    """Trait values by accession and their weights."""
    given = panel if isinstance(panel, Genotypes) else panel.genotypes
    if isinstance(y, str):
        if isinstance(panel, Genotypes):
            raise BudwoodError(
                f"genotypes alone have no trait {y!r}", mend="give a panel with phenotypes, or the values"
            )
        return panel.accession_means(y)
    return AccessionMeans.given(y, given.accessions)
