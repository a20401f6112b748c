"""Marker weights by tracks of open chromatin, methylation or histone marks, measured or predicted.

A track weighs a marker by its mean over the bases around it, divided by the mean of that over all markers, so
that each track counts alike; several are added up. The weights know nothing of the panel's phenotypes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.checks.marker_match import plain_contig
from budwood.genomics.genotypes import Markers
from budwood.genomics.io.annotation.tracks import Steps, Track
from budwood.panel.marker_weights import FUNCTION, MarkerWeights

#: Bases on either side of a marker over which a track is averaged.
REACH: Final = 500
#: Weights whose differences are this small next to the largest differ by rounding alone.
_ALIKE: Final = 1e-9
_COUNTED: Final = {True: "its values count, as bedGraph", False: "every interval counts 1, as BED"}


def track_weights(
    markers: Markers, tracks: Sequence[Track], *, aliases: Mapping[str, str] | None = None
) -> MarkerWeights:
    """Weights of the kernel ``function`` by tracks.

    Parameters
    ----------
    markers
        m markers with places.
    tracks
        What was measured or is predicted, on the same genome build. Names of contigs may differ by case,
        ``chr`` and leading zeros.
    aliases
        Contig names of the markers and what the tracks call them.

    Returns
    -------
    MarkerWeights
        (m,) weights of mean 1 for each track, added up, with notes.

    Raises
    ------
    BudwoodError
        If the markers have no places, none lies on a contig of a track, a track weighs all of them alike, or
        a track writes a contig in two ways.

    Examples
    --------
    >>> from budwood.genomics.io.annotation.tracks import Steps
    >>> words = np.array(["chr1", "chr1"], dtype=object)
    >>> markers = Markers(words, words, np.array([100, 9000]), words, words)
    >>> peaks = Steps(np.array([0]), np.array([5000]), np.array([1.0]))
    >>> track_weights(markers, [Track("open.bed", {"1": peaks}, False)]).by_kernel
    {'function': array([2., 0.])}
    """
    if not (markers.position >= 0).any():
        raise BudwoodError("the markers have no places, which tracks need", mend="give a marker map")
    weights, notes = np.zeros(len(markers)), []
    for track in tracks:
        own = _of_track(markers, track, aliases or {})
        if own.max() - own.min() <= _ALIKE * own.max():
            kind = "none of the markers" if own.max() == 0 else "all markers alike"
            raise BudwoodError(
                f"the track weighs {kind}",
                where=track.name,
                mend="check that track and markers are of the same genome build",
            )
        weights += own / own.mean()
        counted = _COUNTED[track.valued] if track.predicted_by is None else "its probabilities count"
        notes.append(
            f"{track.name} weighs {np.count_nonzero(own):,} of {len(own):,} markers above 0, by its mean "
            f"over {2 * REACH + 1:,} bases around each; {counted}."
        )
    return MarkerWeights({FUNCTION: weights}, (*notes, *_origin(tracks)))


def _origin(tracks: Sequence[Track]) -> list[str]:
    """Which tracks were measured and which are predicted, and by what."""
    predicted = [track for track in tracks if track.predicted_by is not None]
    if not predicted:
        return ["Tracks are what was measured; states that the encoder predicts were not used."]
    makers = " and ".join(dict.fromkeys(str(track.predicted_by) for track in predicted))
    names = ", ".join(track.name for track in predicted)
    measured = "the others were measured" if len(predicted) < len(tracks) else "no measured track was given"
    return [f"Predicted by {makers}, not measured: {names}; {measured}."]


def _of_track(markers: Markers, track: Track, aliases: Mapping[str, str]) -> NDArray[np.float64]:
    known: dict[str, Steps] = {}
    spelled: dict[str, str] = {}
    for name, written in track.contigs.items():
        plain = plain_contig(name)
        if plain in known:
            raise BudwoodError(
                f"contigs {spelled[plain]!r} and {name!r} are the same without case, chr and leading zeros",
                where=track.name,
                mend="write each contig in one way",
            )
        known[plain], spelled[plain] = written, name
    found, on_track = np.zeros(len(markers)), False
    for contig in dict.fromkeys(markers.contig.tolist()):
        steps = known.get(plain_contig(aliases.get(contig, str(contig))))
        if steps is None:
            continue
        rows = np.flatnonzero((markers.contig == contig) & (markers.position >= 0))
        found[rows] = steps.mean(markers.position[rows].astype(np.int64), REACH)
        on_track = True
    if not on_track:
        raise BudwoodError(
            "no marker lies on a contig of the track",
            where=track.name,
            mend="give names of contigs as the genotypes have them, or --alias",
        )
    return found
