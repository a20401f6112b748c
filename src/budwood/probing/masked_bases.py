"""Reconstruction of masked bases, by base class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import MASK, N
from budwood.inference.embed import stack_intervals, tile
from budwood.model.checkpoint import Checkpoint
from budwood.progress import progress
from budwood.training.monitoring.validation import REGION_GROUPS

_BATCH = 32


@dataclass(frozen=True)
class MaskedBases:
    """Windows of a genome with single bases masked.

    Attributes
    ----------
    codes
        (windows, 512) unmasked bases, padded at the end of a contig.
    rows, columns
        (q,) masked positions, none of them unknown or soft-masked.
    region
        (q,) :class:`~budwood.genomics.annotation.base_class.BaseClass` of each.
    """

    codes: NDArray[np.uint8]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    region: NDArray[np.uint8]

    @property
    def truth(self) -> NDArray[np.uint8]:
        """(q,) true bases at the masked positions."""
        return self.codes[self.rows, self.columns]

    @property
    def masked_codes(self) -> NDArray[np.uint8]:
        """(windows, 512) bases with MASK at the masked positions."""
        masked = self.codes.copy()
        masked[self.rows, self.columns] = MASK
        return masked


@dataclass(frozen=True)
class MaskedScore:
    """Scores over a number of masked bases.

    Attributes
    ----------
    bases
        Number of masked bases.
    cross_entropy, cross_entropy_error
        Mean cross-entropy in nats, and its standard error.
    accuracy
        Share of correct predictions.
    """

    bases: int
    cross_entropy: float
    cross_entropy_error: float
    accuracy: float


def mask_bases(
    assembly: Assembly,
    annotation: Annotation | None = None,
    *,
    spacing: int = 16,
    every: int = 1,
    seed: int = 0,
) -> MaskedBases:
    """Cut a genome into windows, keep one in ``every``, and mask one base in every ``spacing``.

    The distance between two masked bases is larger than the context of any k-mer model.

    Parameters
    ----------
    assembly
        The genome.
    annotation
        Its genes; without it every base is UNLABELLED.
    spacing
        Distance of masked bases.
    every
        Keep one window in this many.
    seed
        Seed of the position of the first masked base in each window.

    Returns
    -------
    MaskedBases
        The windows and the masked positions.
    """
    tiles = tile(assembly)[::every]
    codes = stack_intervals(assembly, tiles)
    tracks = {
        name: (
            base_class_track(annotation, name, length)
            if annotation is not None
            else np.full(length, UNLABELLED, dtype=np.uint8),
            assembly.soft_mask(Interval(name, 0, length)),
        )
        for name, length in assembly.contigs.items()
    }
    phase = np.random.default_rng(seed).integers(0, spacing, size=(len(codes), 1))
    chosen = (np.arange(codes.shape[1]) % spacing == phase) & (codes < N)
    region = np.full(codes.shape, UNLABELLED, dtype=np.uint8)
    for row, interval in enumerate(tiles):
        track, repeat = tracks[interval.contig]
        inside = slice(interval.start, interval.end)
        region[row, : interval.length] = track[inside]
        chosen[row, : interval.length] &= ~repeat[inside]
    rows, columns = np.nonzero(chosen)
    return MaskedBases(codes, rows, columns, region[rows, columns])


def encoder_probabilities(
    hidden: MaskedBases, checkpoint: Checkpoint, *, show: bool | None = None
) -> NDArray[np.float64]:
    """Predict masked bases by the encoder, both strands combined.

    Parameters
    ----------
    hidden
        The masked bases.
    checkpoint
        The encoder.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    numpy.ndarray
        (q, 4) probabilities of A, C, G, T.
    """
    found = np.empty((len(hidden.rows), 4))
    masked = hidden.masked_codes
    with torch.inference_mode(), progress("reading", total=len(masked), show=show) as advance:
        for begin in range(0, len(masked), _BATCH):
            piece = torch.from_numpy(masked[begin : begin + _BATCH].astype(np.int64))
            logits = checkpoint.encoder(piece.to(checkpoint.device)).bases
            probabilities = logits.float().cpu().softmax(-1).double().numpy()
            asked = np.flatnonzero((hidden.rows >= begin) & (hidden.rows < begin + len(piece)))
            found[asked] = probabilities[hidden.rows[asked] - begin, hidden.columns[asked]]
            advance(len(piece))
    return found


def score_masked_bases(hidden: MaskedBases, probabilities: NDArray[np.float64]) -> dict[str, MaskedScore]:
    """Score predictions over all masked bases (``"all"``) and by group of base classes.

    Parameters
    ----------
    hidden
        The masked bases.
    probabilities
        (q, 4) probabilities of A, C, G, T.

    Returns
    -------
    dict
        Scores by name of the group.
    """
    return score_predictions(hidden, surprisal(hidden, probabilities), is_correct(hidden, probabilities))


def score_predictions(
    hidden: MaskedBases, surprise: NDArray[np.float64], right: NDArray[np.bool_]
) -> dict[str, MaskedScore]:
    """Score predictions that are given as surprisal and correctness.

    Parameters
    ----------
    hidden
        The masked bases.
    surprise
        (q,) surprisal in nats.
    right
        (q,) whether the prediction is correct.

    Returns
    -------
    dict
        Scores by name of the group, ``"all"`` first.
    """
    return {
        name: MaskedScore(
            int(inside.sum()),
            float(surprise[inside].mean()),
            clustered_standard_error(surprise[inside], hidden.rows[inside]),
            float(right[inside].mean()),
        )
        for name, inside in region_groups(hidden).items()
    }


def surprisal(hidden: MaskedBases, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Negative log probability of each masked base.

    Parameters
    ----------
    hidden
        The masked bases.
    probabilities
        (q, 4) probabilities of A, C, G, T.

    Returns
    -------
    numpy.ndarray
        (q,) surprisal in nats.
    """
    surprise: NDArray[np.float64] = -np.log(probabilities[np.arange(len(hidden.rows)), hidden.truth])
    return surprise


def is_correct(hidden: MaskedBases, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the most probable base is the true one.

    Parameters
    ----------
    hidden
        The masked bases.
    probabilities
        (q, 4) probabilities of A, C, G, T.

    Returns
    -------
    numpy.ndarray
        (q,) ``bool``.
    """
    right: NDArray[np.bool_] = probabilities.argmax(1) == hidden.truth
    return right


def region_groups(hidden: MaskedBases) -> dict[str, NDArray[np.bool_]]:
    """Group the masked bases by base class.

    Parameters
    ----------
    hidden
        The masked bases.

    Returns
    -------
    dict
        (q,) ``bool`` by name of the group: ``"all"``, and the groups that occur.
    """
    groups = {name: np.isin(hidden.region, classes) for name, classes in REGION_GROUPS.items()}
    everything = {"all": np.ones(len(hidden.rows), dtype=np.bool_)}
    return {name: inside for name, inside in (everything | groups).items() if inside.any()}


def clustered_standard_error(values: NDArray[np.float64], windows: NDArray[np.intp]) -> float:
    """Standard error of a mean over bases, where bases of one window are correlated.

    Windows count as a random cluster sample: ``sqrt(sum_w (sum of deviations)^2) / n``.

    Parameters
    ----------
    values
        (q,) values.
    windows
        (q,) number of the window of each.

    Returns
    -------
    float
        The standard error.

    Examples
    --------
    >>> clustered_standard_error(np.array([0.0, 1.0]), np.array([0, 1])).__round__(4)
    0.3536
    """
    deviation = np.bincount(windows, weights=values - values.mean())
    return float(np.sqrt((deviation**2).sum()) / len(values))
