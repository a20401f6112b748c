"""Which windows drive a prediction: exact contributions that sum to it.

A sum of linear kernels predicts ``mean + sum over training lines t of V K(line, t) (P y)_t``. The embedding
kernel and the relationships by markers are sums over windows and markers, so the prediction is one too. No
further estimation and no approximation takes place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.interval import Interval
from budwood.panel.panel import Panel
from budwood.prediction.fitted_trait_model import FittedTraitModel
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.panel_kernels import EMBEDDING_KERNEL
from budwood.prediction.kernels.training_lines import NewLines
from budwood.prediction.marker_effects import kernel_effects, predictor_effects
from budwood.prediction.uncertainty.calibrated import FittedCalibrated
from budwood.prediction.uncertainty.cross_fit_model import FittedCrossFitModel

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Models whose predictions are sums over windows.
ADDITIVE_MODELS: Final = ("gblup", "gblup+dna", "subgenomes", "elastic-net", "bayes-c")
#: Contig of markers whose place is not known.
UNPLACED: Final = "unplaced"


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowContributions:
    """Contributions of W windows to the predictions of c lines.

    Attributes
    ----------
    accessions
        c ids.
    windows
        W intervals, by contig and place. Markers without a place are in one window of the contig
        :data:`UNPLACED`.
    mean
        The fixed part, the same for all lines.
    sequence, markers
        (c, W) contributions through the embeddings of the window's sequence, and through its markers.
    unknown_calls
        (c,) what missing calls of a training line add to its own prediction; 0 for other lines.
    prediction
        (c,) predictions of the model.
    directions
        (W, D) what one more unit of each number of the window's mean embedding adds; empty where the model
        does not read sequence.
    """

    accessions: tuple[str, ...]
    windows: tuple[Interval, ...]
    mean: float
    sequence: Matrix
    markers: Matrix
    unknown_calls: Vector
    prediction: Vector
    directions: Matrix

    @property
    def total(self) -> Matrix:
        """(c, W) contributions of each window by both ways."""
        return self.sequence + self.markers

    @property
    def importance(self) -> Vector:
        """(W,) standard deviation over the lines of each window's contribution."""
        return self.total.std(axis=0)

    @property
    def error(self) -> float:
        """Largest difference between a prediction and the sum of its parts."""
        summed = self.mean + self.total.sum(axis=1) + self.unknown_calls
        return float(np.abs(summed - self.prediction).max(initial=0.0))


def attribute_windows(fitted: FittedTraitModel, panel: Panel) -> WindowContributions:
    """Split the predictions of lines into contributions of windows.

    Parameters
    ----------
    fitted
        The model.
    panel
        The lines, with haplotypes and vectors where the model reads sequence.

    Returns
    -------
    WindowContributions
        Contributions that sum to the predictions.

    Raises
    ------
    BudwoodError
        If the model's predictions are no sums over windows, or sequences are missing.
    """
    predicted = fitted.predict(panel)
    training = fitted.training
    lines = NewLines(
        training,
        panel.genotypes,
        haplotypes=panel.haplotypes,
        vectors=None if panel.vectors is None else panel.vectors.values,
    )
    estimator = fitted.estimator
    if isinstance(estimator, FittedCalibrated):
        estimator = estimator.fitted
    windows: tuple[Interval, ...] = ()
    parts, directions = np.zeros((len(lines), 0)), np.zeros((0, 0))
    unknown = np.zeros(len(lines))
    if isinstance(estimator, FittedKernelModel):
        _check_kernels(estimator.names, tuple(training.weights), fitted.model)
        mean = float(estimator.solved.fixed_effects[0])
        effects = kernel_effects(training, estimator, without=(EMBEDDING_KERNEL,))
        unknown = _unknown_calls(estimator, lines)
        if EMBEDDING_KERNEL in estimator.names:
            windows, parts, directions = _through_sequence(estimator, fitted, panel)
    elif isinstance(estimator, FittedCrossFitModel):
        mean, effects = predictor_effects(training, estimator.predictor)
    else:
        raise _not_additive(fitted.model)
    of_markers = lines.markers() * effects
    return _joined(
        WindowContributions(
            accessions=panel.genotypes.accessions,
            windows=windows,
            mean=mean,
            sequence=parts,
            markers=np.zeros_like(parts),
            unknown_calls=unknown,
            prediction=predicted.prediction,
            directions=directions,
        ),
        of_markers,
        training.markers.contig,
        training.markers.position,
    )


def check_additive(name: str) -> None:
    """Refuse a model whose predictions are no sums over windows, before anything is read.

    Parameters
    ----------
    name
        Name of the model.

    Raises
    ------
    BudwoodError
        If it is none of :data:`ADDITIVE_MODELS`.
    """
    if name.partition(":")[0] not in ADDITIVE_MODELS:
        raise _not_additive(name)


def _not_additive(name: str) -> BudwoodError:
    return BudwoodError(
        f"predictions of model {name!r} are no sums over windows",
        mend=f"choose one of: {', '.join(ADDITIVE_MODELS)}",
    )


def _check_kernels(names: tuple[str, ...], weighted: tuple[str, ...], model: str) -> None:
    known = {"relationship", EMBEDDING_KERNEL, *weighted}
    if any(name not in known for name in names):
        raise _not_additive(model)


def _through_sequence(
    estimator: FittedKernelModel, fitted: FittedTraitModel, panel: Panel
) -> tuple[tuple[Interval, ...], Matrix, Matrix]:
    trained, table = fitted.training.haplotypes, panel.haplotypes
    assert trained is not None, "it has the kernel"
    assert table is not None, "checked by predict"
    assert panel.vectors is not None, "checked by predict"
    variance = estimator.solved.components.kernels[estimator.names.index(EMBEDDING_KERNEL)]
    return trained.contributions(table, panel.vectors.values, variance * estimator.solved.projected)


def _unknown_calls(estimator: FittedKernelModel, lines: NewLines) -> Vector:
    """What the expected squares of missing calls add to a training line's kernel with itself."""
    found = np.zeros(len(lines))
    position = lines.training_position
    own = np.flatnonzero(position >= 0)
    z = lines.markers()[own]
    for name, variance in zip(estimator.names, estimator.solved.components.kernels, strict=True):
        if name == EMBEDDING_KERNEL:
            continue
        summary = lines.training.weighted_summary(name)
        weights = lines.training.weights.get(name, np.ones(z.shape[1]))
        there = lines.training.centred[position[own]]
        plain = np.einsum("ij,ij->i", z * weights, there) * (summary.ploidy / summary.scale)
        kernel = lines.cross(name)[own, position[own]]
        found[own] += variance * (kernel - plain) * estimator.solved.projected[position[own]]
    return found


def _joined(
    found: WindowContributions,
    of_markers: Matrix,
    contig: NDArray[np.object_],
    position: NDArray[np.int64],
) -> WindowContributions:
    """Add the contributions of markers to the windows that hold them, on the grid of 512 bases."""
    # Without a marker kernel the windows of the sequence are all there is.
    used = np.arange(of_markers.shape[1]) if of_markers.any() or not found.windows else np.arange(0)
    keys = [_window_of(str(contig[j]), int(position[j])) for j in used]
    known = {(window.contig, window.start): window for window in found.windows}
    ends = {key: Interval(key[0], key[1], key[1] + WINDOW) for key in keys if key not in known}
    every = sorted({**known, **ends}.values(), key=lambda each: (each.contig, each.start))
    place = {(window.contig, window.start): w for w, window in enumerate(every)}
    c = len(found.accessions)
    sequence, markers = np.zeros((c, len(every))), np.zeros((c, len(every)))
    directions = np.zeros((len(every), found.directions.shape[1]))
    own = [place[(window.contig, window.start)] for window in found.windows]
    sequence[:, own] = found.sequence
    if len(own):
        directions[own] = found.directions
    for key, j in zip(keys, used.tolist(), strict=True):
        markers[:, place[key]] += of_markers[:, j]
    return WindowContributions(
        accessions=found.accessions,
        windows=tuple(every),
        mean=found.mean,
        sequence=sequence,
        markers=markers,
        unknown_calls=found.unknown_calls,
        prediction=found.prediction,
        directions=directions,
    )


def _window_of(contig: str, position: int) -> tuple[str, int]:
    return (contig, position // WINDOW * WINDOW) if contig and position >= 0 else (UNPLACED, 0)
