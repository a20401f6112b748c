"""What long work will take, as sentences to announce before it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from budwood.errors import counted

if TYPE_CHECKING:
    from budwood.model.backbone import Backbone
    from budwood.panel.panel import Panel

#: Receives a sentence about what is going to be done.
Announce = Callable[[str], None]

_TRIAL: Final = 8
# Below this number of windows the wait is too short to be announced.
_WORTH_SAYING: Final = 64

#: Cost of one fit as a share of that of `auto`, for models that refit in inner folds.
_SHARE_OF_AUTO: Final = MappingProxyType(
    {"auto": 1.0, "major-loci": 0.3, "elastic-net": 0.3, "random-forest": 0.3, "lightgbm": 0.4}
)
# Fits that the factors of model_cost were measured with, and what each takes in any panel, in seconds.
_USUAL_FITS: Final = 75
_EACH_FIT: Final = 0.01
# Such models read at most this many markers.
_MOST_MARKERS: Final = 6000


def silent(message: str) -> None:
    """Announce nothing.

    Parameters
    ----------
    message
        Ignored.
    """


def announce_embedding(
    windows: int, checkpoint: Backbone, announce: Announce, *, workers: int = 1, streamed: bool = False
) -> None:
    """Announce how long encoding takes at most, and the memory of the vectors.

    Parameters
    ----------
    windows
        Windows to encode, each distinct sequence once.
    checkpoint
        The encoder; one small batch is timed.
    announce
        Receives the sentence, unless the wait is short.
    workers
        Processes that share the work.
    streamed
        Whether the vectors go to a file as they come.
    """
    if announce is silent or windows < _WORTH_SAYING:
        return
    seconds = _seconds(windows, checkpoint, workers)
    gigabytes = windows * 4 * checkpoint.embedding_size / 1e9
    announce(
        f"{windows:,} windows to embed: {duration(seconds)} (less what is cached or equal), "
        f"{gigabytes:.2f} GB of vectors{' on disk' if streamed else ''}"
    )


def announce_tracks(tiles: int, checkpoint: Backbone, announce: Announce) -> None:
    """Announce how long the prediction of tracks takes.

    Parameters
    ----------
    tiles
        Tiles to read.
    checkpoint
        The encoder; one small batch is timed.
    announce
        Receives the sentence, unless the wait is short.
    """
    if announce is not silent and tiles >= _WORTH_SAYING:
        seconds = _seconds(tiles, checkpoint)
        announce(f"{tiles:,} windows in which tracks are predicted: {duration(seconds)}")


def _seconds(windows: int, checkpoint: Backbone, workers: int = 1) -> float:
    """How long an encoder takes to read windows, by the time of one small batch."""
    import numpy as np

    from budwood.config import WINDOW
    from budwood.inference.chunk_runner import encoding_threads
    from budwood.inference.embed import encode_batch

    trial = np.zeros((_TRIAL, WINDOW), dtype=np.uint8)
    with encoding_threads(checkpoint) as threads:
        encode_batch(trial, checkpoint)
        began = perf_counter()
        encode_batch(trial, checkpoint)
        return (perf_counter() - began) / _TRIAL * windows / max(workers, threads)


def model_cost(panel: Panel, trait: str, fits: Mapping[str, int]) -> str:
    """How long cross-validation and permutation test take, and the memory of the matrices.

    Time grows with the number of fits and the square of the phenotyped lines; the factors were measured on
    one core.

    Parameters
    ----------
    panel
        Its vectors decide whether the DNA model is fitted.
    trait
        Name of the trait.
    fits
        How often each model is fitted; what prediction needs where empty.

    Returns
    -------
    str
        A sentence.
    """
    n, m = panel.shape
    dna_model = panel.vectors is not None
    phenotyped = len(panel.values(trait))
    count = sum(fits.values()) or _USUAL_FITS
    seconds = count / _USUAL_FITS * phenotyped**2 * (2e-5 + 5e-5 * dna_model + 2e-9 * m) + _EACH_FIT * count
    seconds += 8e-11 * n * n * m
    inner = sum(_SHARE_OF_AUTO.get(name, 0.0) * count for name, count in fits.items())
    seconds += inner * (1.5 + 0.004 * phenotyped + 8e-7 * phenotyped * min(m, _MOST_MARKERS))
    gigabytes = (panel.genotypes.dosage.nbytes + 8 * n * n * (6 + 2 * dna_model)) / 1e9
    what = f"{counted(phenotyped, 'phenotyped line')} of {n:,}, {counted(m, 'marker')}"
    return f"{what}: {duration(seconds)} of model fits, {gigabytes:.2f} GB"


def environment_model_cost(panel: Panel, trait: str, fits: int) -> str:
    """How long multi-environment models take, and the memory of their largest matrix.

    A table with few gaps costs the cube of its gaps, any other the cube of its cells; the factors were
    measured on one core, for 25 steps of the search.

    Parameters
    ----------
    panel
        With phenotypes in several environments.
    trait
        Name of the trait.
    fits
        How often a model is fitted.

    Returns
    -------
    str
        A sentence.
    """
    filled = _cells(panel, trait)
    lines, environments = len({name for name, _ in filled}), len({place for _, place in filled})
    cells = len(filled)
    largest = min(lines * environments - cells, cells)
    step = 1e-7 * lines * environments**2 + 6e-11 * largest**2 * (largest + 4 * lines)
    what = f"{counted(cells, 'mean')} of {counted(lines, 'line')} in {counted(environments, 'environment')}"
    what += f", {counted(fits, 'fit')}"
    return f"{what}: {duration(25 * step * fits)}, {1.6e-8 * largest**2:.2f} GB"


def _cells(panel: Panel, trait: str) -> set[tuple[str, str]]:
    """Genotyped accessions and the environments that they have a value in."""
    records = panel.phenotypes
    if records is None:
        return set()
    every = zip(records.accession, records.trait, records.environment, strict=True)
    return {(name, place) for name, what, place in every if what == trait and name in panel.genotypes.row}


def duration(seconds: float) -> str:
    """A time in words, as precise as an estimate is.

    Parameters
    ----------
    seconds
        The time.

    Returns
    -------
    str
        For example ``about 5 minutes``.

    Examples
    --------
    >>> duration(12), duration(200), duration(9000)
    ('about 12 s', 'about 3 min', 'about 2.5 h')
    """
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
