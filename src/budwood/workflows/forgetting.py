"""What an adaptation changes on species: masked bases and probes, read before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.genomics.annotation.genes import Annotation
    from budwood.genomics.assembly import Assembly
    from budwood.model.checkpoint import Checkpoint
    from budwood.probing.forgetting import HeldOutWindows, LossChange
    from budwood.probing.forgotten_probes import ProbeChange, ProbedSpecies, ProbeScores


@dataclass(frozen=True, eq=False)
class FollowedSpecies:
    """A species that is read before and after an adaptation.

    Attributes
    ----------
    windows
        Windows whose masked bases are predicted.
    probed
        What is probed; None for nothing.
    """

    windows: HeldOutWindows
    probed: ProbedSpecies | None


@dataclass(frozen=True, eq=False)
class SpeciesReading:
    """What an encoder says of a species.

    Attributes
    ----------
    loss
        (bases,) surprisal of the masked bases, in nats.
    scores
        Scores of the probes.
    """

    loss: NDArray[np.float64]
    scores: dict[str, ProbeScores]


@dataclass(frozen=True, kw_only=True, eq=False)
class Forgetting:
    """What changed.

    Attributes
    ----------
    losses
        Loss on masked bases of each species.
    probes
        Probes of the species with genes.
    """

    losses: tuple[LossChange, ...]
    probes: tuple[ProbeChange, ...]


def followed(
    windows: HeldOutWindows,
    assembly: Assembly | None = None,
    annotation: Annotation | None = None,
    *,
    seed: int = 0,
) -> FollowedSpecies:
    """A species with whatever can be probed of it.

    Parameters
    ----------
    windows
        Windows whose masked bases are predicted.
    assembly, annotation
        Sequence and genes for probes of sites.
    seed
        Seed of the choice of sites.

    Returns
    -------
    FollowedSpecies
        To read before and after.
    """
    from budwood.probing.forgotten_probes import probed_species

    return FollowedSpecies(windows, probed_species(windows, assembly, annotation, seed=seed))


def read_species(
    species: Sequence[FollowedSpecies], checkpoint: Checkpoint, show: bool | None = None
) -> list[SpeciesReading]:
    """Read every species.

    Parameters
    ----------
    species
        What to read.
    checkpoint
        The encoder.
    show
        Draw progress bars; by default on a terminal.

    Returns
    -------
    list of SpeciesReading
        In the order of the species.
    """
    from budwood.probing.forgetting import masked_loss
    from budwood.probing.forgotten_probes import probe_scores

    return [
        SpeciesReading(
            masked_loss(each.windows, checkpoint, show=show),
            {} if each.probed is None else probe_scores(each.probed, checkpoint, show=show),
        )
        for each in species
    ]


def forgetting(
    species: Sequence[FollowedSpecies], before: Sequence[SpeciesReading], after: Sequence[SpeciesReading]
) -> Forgetting:
    """Compare what was read.

    Parameters
    ----------
    species
        What was read.
    before, after
        From :func:`read_species`.

    Returns
    -------
    Forgetting
        Paired differences.
    """
    from budwood.probing.forgetting import change_of
    from budwood.probing.forgotten_probes import probe_changes

    losses: list[LossChange] = []
    probes: list[ProbeChange] = []
    for each, old, new in zip(species, before, after, strict=True):
        losses.append(change_of(each.windows, old.loss, new.loss))
        if each.probed is not None:
            probes += probe_changes(each.probed, old.scores, new.scores)
    return Forgetting(losses=tuple(losses), probes=tuple(probes))


def describe_forgetting(found: Forgetting, control: Forgetting | None = None) -> str:
    """What changed, in plain words.

    Parameters
    ----------
    found
        After the adaptation, the species that was adapted to first.
    control
        After full fine-tuning to the same loss.

    Returns
    -------
    str
        A few sentences.
    """
    from budwood.probing.forgetting import compare_loss
    from budwood.probing.forgotten_probes import describe_probes

    losses, probes = ((), ()) if control is None else (control.losses, control.probes)
    told = [compare_loss(found.losses, losses), describe_probes(found.probes, probes)]
    return " ".join(each for each in told if each)
