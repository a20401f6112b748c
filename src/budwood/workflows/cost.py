"""What long work will take, told before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from budwood.progress import estimate

if TYPE_CHECKING:
    from budwood.genomics.genotypes import Genotypes
    from budwood.model.backbone import Backbone

_TRIAL: Final = 8
# Below this number of windows the wait is too short to be announced.
_WORTH_TELLING: Final = 64

#: Cost of one fit as a share of that of `auto`, for models that refit in inner folds.
_SHARE_OF_AUTO: Final = MappingProxyType(
    {"auto": 1.0, "major-loci": 0.3, "elastic-net": 0.3, "random-forest": 0.3, "lightgbm": 0.4}
)
# Such models read at most this many markers.
_MOST_MARKERS: Final = 6000


def announce_embedding(windows: int, checkpoint: Backbone, *, workers: int = 1, show: bool) -> None:
    """Tell how long encoding will take at most, from one timed batch, and the memory of the vectors."""
    if not show or windows < _WORTH_TELLING:
        return
    import numpy as np

    from budwood.config import WINDOW
    from budwood.inference.embed import encode_batch

    trial = np.zeros((_TRIAL, WINDOW), dtype=np.uint8)
    encode_batch(trial, checkpoint)
    began = perf_counter()
    encode_batch(trial, checkpoint)
    seconds = (perf_counter() - began) / _TRIAL * windows / workers
    gigabytes = windows * 4 * checkpoint.embedding_size / 1e9
    estimate(
        f"{windows:,} distinct windows to embed: {duration(seconds)} (less what is cached), "
        f"{gigabytes:.2f} GB of vectors"
    )


def announce_models(
    genotypes: Genotypes, values: Mapping[str, float], fits: Mapping[str, int], *, dna_model: bool, show: bool
) -> None:
    """Tell how long cross-validation and the permutation control take, and the memory of the matrices.

    Time grows with the square of the labelled lines; the factors were measured on one core. ``fits`` says how
    often each model is fitted, which counts for those that refit in inner folds.
    """
    n, m = genotypes.dosage.shape
    labelled = sum(name in values for name in genotypes.accessions)
    seconds = labelled**2 * (2e-5 + 5e-5 * dna_model + 2e-9 * m) + 8e-11 * n * n * m
    inner = sum(_SHARE_OF_AUTO.get(name, 0.0) * count for name, count in fits.items())
    seconds += inner * (1.5 + 0.004 * labelled + 8e-7 * labelled * min(m, _MOST_MARKERS))
    gigabytes = (genotypes.dosage.nbytes + 8 * n * n * (6 + 2 * dna_model)) / 1e9
    what = f"{labelled:,} labelled lines of {n:,}, {m:,} markers"
    estimate(f"{what}: {duration(seconds)} of model fits, {gigabytes:.2f} GB", show=show)


def announce_environment_models(lines: int, environments: int, cells: int, fits: int, *, show: bool) -> None:
    """Tell how long multi-environment models take, and the memory of their largest matrix.

    A table with few gaps costs the cube of its gaps, any other the cube of its cells; the factors were
    measured on one core, for 25 steps of the search.
    """
    gaps = lines * environments - cells
    largest = min(gaps, cells)
    step = 1e-7 * lines * environments**2 + 6e-11 * largest**2 * (largest + 4 * lines)
    what = f"{cells:,} means of {lines:,} lines in {environments} environments, {fits} fits"
    estimate(f"{what}: {duration(25 * step * fits)}, {1.6e-8 * largest**2:.2f} GB", show=show)


def duration(seconds: float) -> str:
    """A time in words, as precise as an estimate is.

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
