"""A trait model that has learnt: it predicts any lines, of its panel or of another file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from budwood.artifacts import Draft, write_artifact
from budwood.errors import BudwoodError
from budwood.genomics.checks.marker_match import MarkerMatch, match_markers
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.panel.panel import Panel
from budwood.prediction.contract import FittedEstimator, Forecast, Lines
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.distant_lines import DistantLines
from budwood.prediction.kernels.nearest_relatives import relatives_of
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.kernels.training_lines import NewLines, TrainingLines, check_share
from budwood.prediction.marker_effects import EffectTable, effects_of
from budwood.prediction.saved.model_folder import KIND, MODEL, read_model, write_model
from budwood.prediction.saved.rules import Rule, check_rules
from budwood.prediction.saved.trial_prediction import try_prediction
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_components import marker_components
from budwood.stats.relationship.principal_components import principal_components

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: New lines predicted at once.
_BLOCK: Final = 1024
#: Lines, training lines included, whose clusters are judged together.
_TOGETHER: Final = 6_000
#: Share of a line's calls that are missing above which a note names the line.
_MOSTLY_MISSING: Final = 0.5
#: Lines named in a note.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class StructureAxes:
    """Principal axes of the training lines' relationship, for a picture of where new lines stand.

    Attributes
    ----------
    row_mean, mean
        (n,) mean relationship of each training line with all, and the mean of these.
    directions
        (n, 2) what the centred relationship of a line is multiplied by to give its coordinates.
    explained
        (2,) share of the variance in each axis.
    """

    row_mean: Vector
    mean: float
    directions: Matrix
    explained: Vector

    @classmethod
    def of(cls, relationship: Matrix) -> StructureAxes:
        """Axes of an (n, n) relationship.

        Parameters
        ----------
        relationship
            Of the training lines.
        """
        found = principal_components(relationship)
        squares = (found.scores**2).sum(axis=0)
        row_mean = relationship.mean(axis=0)
        return cls(
            row_mean=row_mean,
            mean=float(row_mean.mean()),
            directions=found.scores / np.where(squares > 0.0, squares, 1.0),
            explained=found.explained,
        )

    @classmethod
    def of_markers(cls, markers: CentredMarkers) -> StructureAxes:
        """Axes of the relationship of n lines by products with their markers.

        Parameters
        ----------
        markers
            Of the training lines.
        """
        found = marker_components(markers)
        return cls(
            row_mean=found.row_mean,
            mean=float(found.row_mean.mean()),
            directions=found.scores / np.maximum((found.scores**2).sum(axis=0), 1e-300),
            explained=found.explained,
        )

    def scores(self, cross: Matrix) -> Matrix:
        """(c, 2) coordinates of lines from their (c, n) relationship with the training lines.

        Parameters
        ----------
        cross
            (c, n) relationship of lines with the training lines.

        Returns
        -------
        Matrix
            Coordinates on the first two axes.
        """
        centred = cross - cross.mean(axis=1)[:, None] - self.row_mean + self.mean
        return centred @ self.directions


@dataclass(frozen=True, kw_only=True)
class FittedTraitModel:
    """A trait model that has learnt.

    Attributes
    ----------
    trait
        Name of the trait, ``""`` where it has none.
    model, name
        Name of the model that people read, and the name by which it is chosen.
    training
        The training lines: what new lines are compared with.
    observed
        (n,) trait values of the training lines.
    estimator
        What it has learnt.
    extrapolation_below
        Genomic correlation with the nearest training line below which a line is extrapolated to, where no
        marker varies enough among training lines and new lines together, and above 6,000 training lines.
        Elsewhere distance and cluster say so
        (:class:`~budwood.prediction.kernels.distant_lines.DistantLines`).
    structure
        Principal axes of the training lines.
    notes
        Sentences about the training: what was dropped, imputed, assumed.
    """

    trait: str
    model: str
    name: str
    training: TrainingLines
    observed: Vector
    estimator: FittedEstimator
    extrapolation_below: float
    structure: StructureAxes
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n, m = self.training.dosage.shape
        return (
            f"FittedTraitModel({self.model}, {self.trait or 'one trait'}, {n} training lines x {m} markers)"
        )

    @property
    def variance_shares(self) -> Mapping[str, float]:
        """Share of the phenotypic variance by source; they add up to 1."""
        return self.estimator.variance_shares

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Save the model as an artifact of kind ``trait-model``.

        Parameters
        ----------
        folder
            Where to; it must not exist, unless ``overwrite`` and it holds an earlier result.
        overwrite
            Whether an earlier result there is replaced.

        Raises
        ------
        BudwoodError
            If the folder cannot be written or something else is there.
        """
        parameters = {"trait": self.trait, "model": self.name, "training_lines": len(self.observed)}
        with write_artifact(Path(folder), kind=KIND, parameters=parameters, overwrite=overwrite) as draft:
            self.write(draft)

    def write(self, draft: Draft) -> None:
        """Write the model into an artifact.

        Parameters
        ----------
        draft
            The artifact that is being written.
        """
        write_model(draft, self, (FittedTraitModel, StructureAxes))

    @classmethod
    def load(cls, folder: Path | str) -> FittedTraitModel:
        """Read a saved model.

        Parameters
        ----------
        folder
            What :meth:`save` or ``budwood predict --save-model`` wrote.

        Raises
        ------
        BudwoodError
            If the folder holds no saved trait model, or a damaged one.
        """
        model = read_model(Path(folder), (cls, StructureAxes))
        if not isinstance(model, cls):
            raise BudwoodError(
                "the folder holds another kind of saved model",
                where=str(folder),
                mend="give a saved trait model",
            )
        model._check(str(Path(folder) / f"{MODEL}.json"))
        return model

    def _check(self, where: str) -> None:
        """Refuse a model that was read and makes no sense."""
        training = self.training
        lengths = {"lines": len(training.accessions), "markers": len(training.markers)}
        check_rules(self, lengths, {"observed": Rule(("lines",))}, where=where)

        def predict(genotypes: Genotypes, table: HaplotypeTable | None) -> tuple[Vector, ...]:
            trained = training.haplotypes
            vectors, digest = (None, "") if trained is None else (trained.vectors, trained.digest)
            found = self.predict(genotypes, haplotypes=table, vectors=vectors, digest=digest)
            return found.prediction, found.standard_error, found.lower_90, found.upper_90

        try_prediction(training, predict, where)

    def marker_effects(self) -> EffectTable:
        """Effects of the markers that the model uses.

        Returns
        -------
        EffectTable
            Its :meth:`~budwood.prediction.marker_effects.EffectTable.value` equals :meth:`predict` for lines
            that are no training lines.

        Raises
        ------
        BudwoodError
            If the model is not linear in the markers.
        """
        return effects_of(self.training, self.estimator)

    @property
    def reads_sequence(self) -> bool:
        """Whether predictions need the sequences of new lines."""
        return self.training.haplotypes is not None

    def predict(
        self,
        lines: Panel | Genotypes,
        *,
        haplotypes: HaplotypeTable | None = None,
        vectors: NDArray[np.float32] | None = None,
        digest: str = "",
        minimum_share: float = 0.1,
    ) -> TraitPrediction:
        """Predict the trait of any lines.

        Parameters
        ----------
        lines
            c accessions, or a panel of them with their haplotypes and vectors. Their markers are matched to
            the model's by place and alleles, or by name. Markers and calls that are missing take the training
            mean, and the uncertainty grows accordingly. An accession with the id of a training line is taken
            for that line.
        haplotypes, vectors, digest
            Where ``lines`` is no panel and the model reads sequence: haplotypes of the same accessions in the
            same order, their (H, D) embeddings, and the digest of the checkpoint.
        minimum_share
            Share of the model's markers below which the genotypes are refused.

        Returns
        -------
        TraitPrediction
            Predictions of all lines.

        Raises
        ------
        BudwoodError
            If too few markers match, an accession is there twice, or sequences are missing or of another
            checkpoint.
        """
        if isinstance(lines, Panel):
            haplotypes, genotypes = lines.haplotypes, lines.genotypes
            if lines.vectors is not None:
                vectors, digest = lines.vectors.values, lines.vectors.digest
        else:
            genotypes = lines
        check_is_genotypes(genotypes)
        check_share(minimum_share)
        self._check_sequence(haplotypes, vectors, digest)
        match = match_markers(self.training.markers, genotypes.markers)
        own = self._training_own()
        parts, missing = [], []
        for start in range(0, len(genotypes.accessions), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(genotypes.accessions)))
            block = NewLines(
                self.training,
                genotypes.take(rows),
                haplotypes=None if haplotypes is None else haplotypes.take(rows),
                vectors=vectors,
                match=match,
                minimum_share=minimum_share,
            )
            parts.append(self._block(block, own))
            missing.append(block.missing_share)
        notes = (*match.notes(), *_missing_notes(genotypes.accessions, np.concatenate(missing), match.share))
        found = self._joined(genotypes.accessions, parts, notes)
        return replace(found, extrapolation=self._far(genotypes, match, found)).with_ranking_note()

    def _far(
        self, genotypes: Genotypes, match: MarkerMatch, prediction: TraitPrediction
    ) -> NDArray[np.bool_]:
        """Which lines are far from the training lines, by the rule that the panel's candidates have.

        Parameters
        ----------
        genotypes, match
            c lines, and where the model's markers are in them.
        prediction
            Of the same lines; extrapolation says which are no training lines.
        """
        known = prediction.extrapolation
        training = self.training
        n, new = len(training.accessions), np.flatnonzero(known)
        new = new[np.argsort(np.array(genotypes.accessions, dtype=object)[new], kind="stable")]
        found = known & (prediction.relatedness < self.extrapolation_below)
        if is_large(n):
            return found
        size = max(_TOGETHER - n, _BLOCK)
        for start in range(0, len(new), size):
            rows = new[start : start + size]
            joined = Genotypes(
                (*training.accessions, *(genotypes.accessions[row] for row in rows)),
                training.markers,
                _stacked(training.dosage, match.dosage(genotypes.take(rows))),
                np.concatenate([training.ploidy, genotypes.ploidy[rows]]),
            )
            try:
                kernel = PanelKernels(joined).kernel(RELATIONSHIP, np.arange(n + len(rows)))
            except BudwoodError:
                continue
            far, _ = DistantLines(kernel, np.arange(n)).judge()
            found[rows] = far[n:]
        return found

    def _training_own(self) -> Vector:
        """(n,) relationship of each training line with itself."""
        summary = self.training.summary
        return self.training.square(RELATIONSHIP) * (summary.ploidy / summary.scale)

    def _check_sequence(
        self, haplotypes: HaplotypeTable | None, vectors: NDArray[np.float32] | None, digest: str
    ) -> None:
        trained = self.training.haplotypes
        if trained is None:
            return
        if haplotypes is None or vectors is None:
            raise BudwoodError(
                f"model {self.model} reads sequence, and no sequence of the new lines was given",
                mend="give the reference genome the model was fitted with, and genotypes with allele letters",
            )
        if digest != trained.digest:
            raise BudwoodError(
                f"the sequences were embedded by another checkpoint ({digest[:12] or 'not named'}) than "
                f"the model was fitted with ({trained.digest[:12]})",
                mend="give the checkpoint the model was fitted with",
            )

    def _block(self, lines: Lines, own: Vector) -> _Block:
        cross, position = lines.cross(RELATIONSHIP), lines.training_position
        nearest, relatedness = relatives_of(cross, lines.own(RELATIONSHIP), own, position)
        scores = self.structure.scores(cross)
        return _Block(self.estimator.predict(lines), nearest, relatedness, position, scores)

    def _joined(
        self, accessions: tuple[str, ...], parts: list[_Block], notes: tuple[str, ...]
    ) -> TraitPrediction:
        names = ("value", "standard_error", "reliability", "lower_90", "upper_90")
        value, error, reliability, lower, upper = (
            np.concatenate([getattr(part.forecast, name) for part in parts]) for name in names
        )
        position = np.concatenate([part.position for part in parts])
        relatedness = np.concatenate([part.relatedness for part in parts])
        return TraitPrediction(
            trait=self.trait,
            accessions=accessions,
            observed=np.where(position >= 0, self.observed[np.maximum(position, 0)], np.nan),
            prediction=value,
            standard_error=error,
            reliability=reliability,
            lower_90=lower,
            upper_90=upper,
            rank=ranks(value),
            nearest_training_accession=tuple(
                self.training.accessions[row] for part in parts for row in part.nearest
            ),
            relatedness=relatedness,
            extrapolation=position < 0,
            variance_shares=self.variance_shares,
            structure=np.concatenate([part.scores for part in parts]),
            structure_explained=self.structure.explained,
            notes=(*notes, *self.notes),
        )


def _stacked(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Dosages of both; where one has fractions, missing calls are NaN."""
    if first.dtype != second.dtype:
        first, second = (np.where(each >= 0, each, np.nan).astype(np.float32) for each in (first, second))
    return np.concatenate([first, second])


@dataclass(frozen=True)
class _Block:
    """Some lines: forecast, nearest training line and relatedness, position in training, coordinates."""

    forecast: Forecast
    nearest: NDArray[np.intp]
    relatedness: Vector
    position: NDArray[np.intp]
    scores: Matrix


def ranks(value: Vector) -> NDArray[np.int64]:
    """(n,) rank of each value, 1 for the largest; equal values share the smallest rank.

    Parameters
    ----------
    value
        (n,) values.

    Returns
    -------
    NDArray[np.int64]
        Ranks from 1.

    Examples
    --------
    >>> ranks(np.array([2.0, 5.0, 2.0])).tolist()
    [2, 1, 2]
    """
    return rankdata(-value, method="min").astype(np.int64)


def _missing_notes(accessions: tuple[str, ...], missing: Vector, share: float) -> tuple[str, ...]:
    """Sentences on lines that lack many calls at the markers that the file has."""
    own = 1.0 - (1.0 - missing) / max(share, 1e-12)
    mostly = [accessions[row] for row in np.flatnonzero((own > _MOSTLY_MISSING) & (missing < 1.0))]
    none = [accessions[row] for row in np.flatnonzero(missing >= 1.0)]
    found = []
    if none:
        found.append(
            f"{_named(none)} no call at any marker of the model: the mean is predicted, with the "
            "uncertainty of an unknown line."
        )
    if mostly:
        found.append(
            f"{_named(mostly)} no call at over half of the markers found, so their predictions are uncertain."
        )
    return tuple(found)


def _named(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"{len(names):,} line{' has' if len(names) == 1 else 's have'} ({listed})"
