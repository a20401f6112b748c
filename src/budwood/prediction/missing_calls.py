"""What missing calls do to predictions: of lines with hardly any calls, and where they follow families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.thinning import evenly_spaced
from budwood.stats.relationship.missing_pattern import missing_pattern

#: Share of the markers with a call under which a line has hardly any.
FEWEST_CALLS: Final = 0.01
#: Share of the markers with a call under which a prediction rests on a small part of them.
_PART: Final = 0.5
#: Lines named in a note.
_NAMED: Final = 5
#: Share of missing calls from which their pattern matters, and agreement of lines that are alike from which
#: it follows groups: SoyNAM has .94, other panels with missing calls .08 to .19.
_MISSING: Final = 0.05
_AGREEMENT: Final = 0.5
#: Most lines and markers that are looked at.
_LINES: Final = 600
_MARKERS: Final = 3_000


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


def grouped_notes(genotypes: Genotypes) -> tuple[str, ...]:
    """A sentence where calls are missing by family, and what to do about it.

    Parameters
    ----------
    genotypes
        Accessions and their markers; 600 and 3,000 of them, evenly spaced, are looked at.

    Returns
    -------
    tuple[str, ...]
        None where few calls are missing, or these do not follow groups of lines.
    """
    n, m = genotypes.dosage.shape
    rows, columns = evenly_spaced(n, _LINES), evenly_spaced(m, _MARKERS)
    missing = ~(genotypes.dosage[np.ix_(rows, columns)] >= 0)
    share = float(missing.mean()) if missing.size else 0.0
    found = missing_pattern(missing) if share >= _MISSING else None
    if found is None or not found.grouped or found.agreement < _AGREEMENT:
        return ()
    return (
        f"{share:.0%} of the calls are missing, and which ones follows families or other groups of lines "
        f"(calls missing in a line and in the one most like it correlate at {found.agreement:.2f}, in random "
        f"pairs at {max(found.chance, 0.0):.2f} at most), so that relationships, where they count as the "
        "mean, hide what lies between the groups: impute the genotypes, write the calls that are the same in "
        "a whole group, or give the groups as a covariate and compare lines within them; auto and trees read "
        "groups from the missing calls.",
    )


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
