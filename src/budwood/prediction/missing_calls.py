"""Lines with hardly any calls: they teach a model nothing, and are predicted by the mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes

#: Share of the markers with a call under which a line has hardly any.
FEWEST_CALLS: Final = 0.01
#: Share of the markers with a call under which a prediction rests on a small part of them.
_PART: Final = 0.5
#: Lines named in a note.
_NAMED: Final = 5


def called_share(genotypes: Genotypes) -> NDArray[np.float64]:
    """(n,) share of the markers at which each line has a call.

    Parameters
    ----------
    genotypes
        Accessions and their markers.

    Returns
    -------
    NDArray[np.float64]
        0 to 1.

    Examples
    --------
    >>> called_share(Genotypes.from_matrix(["a", "b"], np.array([[0, 2], [-1, 1]], dtype=np.int8)))
    array([1. , 0.5])
    """
    return np.array([np.mean(row >= 0) for row in genotypes.dosage], dtype=np.float64)


def uncalled_notes(genotypes: Genotypes) -> tuple[str, ...]:
    """Sentences that name lines whose predictions know little or nothing of them.

    Parameters
    ----------
    genotypes
        Accessions and their markers.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    share = called_share(genotypes)
    hardly = [genotypes.accessions[row] for row in np.flatnonzero(share < FEWEST_CALLS)]
    partly = [genotypes.accessions[row] for row in np.flatnonzero((share >= FEWEST_CALLS) & (share < _PART))]
    found = []
    if hardly:
        found.append(
            f"{named_lines(hardly)} no or hardly any calls (under {FEWEST_CALLS:.0%} of the markers): the "
            "mean is predicted, with the uncertainty of an unknown line."
        )
    if partly:
        found.append(
            f"{named_lines(partly)} no call at over half of the markers, and larger standard errors."
        )
    return tuple(found)


def named_lines(names: Sequence[str]) -> str:
    """How many lines, the first of them named.

    Parameters
    ----------
    names
        Of the lines.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> named_lines(["a", "b"])
    '2 lines (a, b) have'
    """
    listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    one = len(names) == 1
    return f"{len(names):,} line{'' if one else 's'} ({listed}) {'has' if one else 'have'}"
