"""Tracks that a checkpoint predicts around the markers of a panel, where the user has measured none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.checks.marker_match import plain_contig
from budwood.genomics.genotypes import Markers
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.tracks import Steps, Track
from budwood.inference.tracks import STEP, TrackStretch, predict_tracks
from budwood.model.checkpoint import Checkpoint
from budwood.panel.track_weights import REACH
from budwood.progress import Advance


def predicted_by(checkpoint: Checkpoint) -> str:
    """How outputs name what predicted their tracks.

    Parameters
    ----------
    checkpoint
        The encoder.

    Returns
    -------
    str
        Its name and the first 12 digits of its digest.

    Examples
    --------
    >>> from budwood.model.checkpoint import load_checkpoint
    >>> predicted_by(load_checkpoint(device="cpu"))[:26]
    'checkpoint tracks (digest '
    """
    return f"checkpoint {checkpoint.name} (digest {checkpoint.digest[:12]})"


def places_around(
    markers: Markers, contigs: Mapping[str, int], *, aliases: Mapping[str, str] | None = None
) -> list[Interval]:
    """The bases around markers by which a track weighs them.

    Parameters
    ----------
    markers
        Those without a place are left out, and those on no contig of the genome.
    contigs
        Length of each contig of the genome.
    aliases
        Contig names of the markers and what the genome calls them.

    Returns
    -------
    list of Interval
        Places on the genome.

    Raises
    ------
    BudwoodError
        If no marker has a place on the genome.
    """
    known = {plain_contig(name): name for name in reversed(list(contigs))}
    found: list[Interval] = []
    for contig in dict.fromkeys(markers.contig.tolist()):
        called = (aliases or {}).get(contig, str(contig))
        name = called if called in contigs else known.get(plain_contig(called))
        if name is None:
            continue
        rows = (markers.contig == contig) & (markers.position >= 0)
        for position in markers.position[rows].tolist():
            start, end = max(position - REACH, 0), min(position + REACH + 1, contigs[name])
            found += [Interval(name, start, end)] if start < end else []
    if not found:
        raise BudwoodError(
            "no marker lies on a contig of the reference genome, so no track can be predicted",
            where="--tracks predicted",
            mend="give names of contigs as the genotypes have them, or --alias",
        )
    return found


def predicted_tracks(
    assembly: Assembly,
    checkpoint: Checkpoint,
    names: Sequence[str],
    places: Sequence[Interval],
    *,
    batch_size: int | None = None,
    advance: Advance | None = None,
) -> list[Track]:
    """Probabilities of tracks at some places, as tracks that weigh markers.

    Parameters
    ----------
    assembly
        The genome.
    checkpoint
        An encoder with a head of tracks.
    names
        Tracks to predict.
    places
        From :func:`places_around`.
    batch_size, advance
        As for :func:`budwood.inference.tracks.predict_tracks`.

    Returns
    -------
    list of Track
        In the order of the names, each with the checkpoint that predicted it.

    Raises
    ------
    BudwoodError
        If the checkpoint predicts no tracks, or none of a name.
    """
    stretches: dict[str, list[TrackStretch]] = defaultdict(list)
    for stretch in predict_tracks(
        assembly, checkpoint, names=names, places=places, batch_size=batch_size, advance=advance
    ):
        stretches[stretch.contig].append(stretch)
    return [
        Track(
            name,
            {contig: _steps(found, number) for contig, found in stretches.items()},
            valued=True,
            predicted_by=predicted_by(checkpoint),
        )
        for number, name in enumerate(names)
    ]


def _steps(stretches: Sequence[TrackStretch], track: int) -> Steps:
    """The steps of a contig, unknown ones left out."""

    def places() -> Iterator[np.ndarray]:
        for each in stretches:
            start = np.arange(each.start, each.end, STEP)
            yield np.stack([start, np.minimum(start + STEP, each.end)])

    start, end = np.concatenate(list(places()), axis=1)
    value = np.concatenate([each.probability[:, track] for each in stretches]).astype(np.float64)
    known = ~np.isnan(value)
    return Steps(start[known], end[known], value[known])
