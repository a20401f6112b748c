"""What an adaptation gains on sequence of its species and loses on that of others: masked bases, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.corpus.sampling.genome import TrainingGenome
from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.sequence import N
from budwood.model.checkpoint import Checkpoint
from budwood.probing.masked_bases import (
    MaskedBases,
    clustered_standard_error,
    encoder_probabilities,
    mask_bases,
    region_groups,
    surprisal,
)

_SPACING = 16


@dataclass(frozen=True, eq=False)
class HeldOutWindows:
    """Windows with masked bases of one species.

    Attributes
    ----------
    name
        Name of the species or file.
    hidden
        The windows and their masked bases.
    """

    name: str
    hidden: MaskedBases


@dataclass(frozen=True, kw_only=True)
class LossChange:
    """Mean cross-entropy (nats) of the same masked bases before and after an adaptation.

    Attributes
    ----------
    name
        Name of the species or file.
    bases
        Number of masked bases.
    before, after
        Mean cross-entropy.
    difference, standard_error
        After minus before, and its standard error with windows as clusters.
    by_class
        Differences by group of base classes, where there is an annotation.
    """

    name: str
    bases: int
    before: float
    after: float
    difference: float
    standard_error: float
    by_class: dict[str, float]


def held_out_windows(genome: TrainingGenome, *, most: int, seed: int = 0) -> HeldOutWindows:
    """Windows of the validation part of a genome.

    Parameters
    ----------
    genome
        From :func:`budwood.training.adaptation.held_out.hold_out`.
    most
        Number of windows at most, drawn at random.
    seed
        Seed of the draw and of the masked places.

    Returns
    -------
    HeldOutWindows
        One base in 16 is masked, none of them N or soft-masked.
    """
    codes: list[NDArray[np.uint8]] = []
    repeats: list[NDArray[np.bool_]] = []
    regions: list[NDArray[np.uint8]] = []
    for contig in genome.validation:
        count = len(contig.codes) // WINDOW
        whole = slice(0, count * WINDOW)
        codes.append(contig.codes[whole].reshape(count, WINDOW))
        repeats.append(contig.repeat[whole].reshape(count, WINDOW))
        regions.append(contig.region[whole].reshape(count, WINDOW))
    tracks = (np.concatenate(codes), np.concatenate(repeats), np.concatenate(regions))
    return _drawn(genome.species, *tracks, most, seed)


def assembly_windows(
    name: str, assembly: Assembly, annotation: Annotation | None = None, *, most: int, seed: int = 0
) -> HeldOutWindows:
    """Windows of another species.

    Parameters
    ----------
    name
        Name of the species or file.
    assembly, annotation
        Its sequence, and its genes where there are any.
    most
        Number of windows at most, spread over the sequence.
    seed
        Seed of the masked places.

    Returns
    -------
    HeldOutWindows
        One base in 16 is masked, none of them N or soft-masked.
    """
    windows = sum(-(-length // WINDOW) for length in assembly.contigs.values())
    hidden = mask_bases(assembly, annotation, spacing=_SPACING, every=max(1, windows // most), seed=seed)
    return HeldOutWindows(name, hidden)


def masked_loss(
    windows: HeldOutWindows, checkpoint: Checkpoint, *, show: bool | None = None
) -> NDArray[np.float64]:
    """Surprisal of every masked base, both strands read.

    Parameters
    ----------
    windows
        What is masked.
    checkpoint
        The encoder.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    ndarray
        (bases,) nats.
    """
    return surprisal(windows.hidden, encoder_probabilities(windows.hidden, checkpoint, show=show))


def change_of(windows: HeldOutWindows, before: NDArray[np.float64], after: NDArray[np.float64]) -> LossChange:
    """Compare the losses of the same bases.

    Parameters
    ----------
    windows
        What was masked.
    before, after
        (bases,) from :func:`masked_loss`.

    Returns
    -------
    LossChange
        Means and their paired difference.
    """
    difference = after - before
    groups = region_groups(windows.hidden)
    return LossChange(
        name=windows.name,
        bases=len(before),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(difference.mean()),
        standard_error=clustered_standard_error(difference, windows.hidden.rows),
        by_class={name: float(difference[inside].mean()) for name, inside in groups.items() if name != "all"},
    )


def compare_loss(changes: Sequence[LossChange], control: Sequence[LossChange] = ()) -> str:
    """What the changes say, in plain words.

    Parameters
    ----------
    changes
        Of the species first, then of others.
    control
        The same after full fine-tuning; empty for none.

    Returns
    -------
    str
        A few sentences.
    """
    own, *others = changes
    error = 1.96 * own.standard_error
    verb = "falls" if own.difference < -error else "rises" if own.difference > error else "does not change"
    parts = [
        f"On kept sequence of {own.name} the loss on masked bases {verb}: {own.before:.4f} before, "
        f"{own.after:.4f} after ({own.difference:+.4f}, 95 % interval {own.difference - error:+.4f} to "
        f"{own.difference + error:+.4f})."
    ]
    if own.difference > error:
        parts.append("So do not use the adapter; more sequence, or more --steps, may help.")
    elif own.difference >= -error:
        parts.append("So no gain is shown; more sequence, or more --steps, may help.")
    parts += [
        f"On {each.name} it is {each.before:.4f} before and {each.after:.4f} after ({each.difference:+.4f})."
        for each in others
    ]
    if control:
        listed = "; ".join(f"{each.name} {each.difference:+.4f}" for each in control)
        parts.append(f"Full fine-tuning to the same loss changes: {listed}.")
    return " ".join(parts)


def _drawn(
    name: str,
    codes: NDArray[np.uint8],
    repeat: NDArray[np.bool_],
    region: NDArray[np.uint8],
    most: int,
    seed: int,
) -> HeldOutWindows:
    random = np.random.default_rng(seed)
    known = np.flatnonzero(((codes < N) & ~repeat).mean(axis=1) > 0.2)
    if len(known) == 0:
        raise BudwoodError(
            "the kept sequence is N or repeats", where=name, mend="give another genome, or hold out more"
        )
    chosen = np.sort(random.permutation(known)[:most])
    codes, repeat, region = codes[chosen], repeat[chosen], region[chosen]
    phase = random.integers(0, _SPACING, size=(len(codes), 1))
    masked = (np.arange(WINDOW) % _SPACING == phase) & (codes < N) & ~repeat
    rows, columns = np.nonzero(masked)
    return HeldOutWindows(name, MaskedBases(codes, rows, columns, region[rows, columns]))
