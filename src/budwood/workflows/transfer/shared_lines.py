"""Lines that both sides of a transfer name: the same lines, or others that bear the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.genomics.genotypes import Genotypes
    from budwood.workflows.transfer.sides import Side

#: Fewest markers that vary on both sides by which two lines are compared.
FEWEST_MARKERS: Final = 50
#: Correlation of two lines' deviations from the markers' means above which they are one line. Full sibs have
#: about a half; a line that was genotyped twice with 5 % of errors has about .9.
ONE_LINE: Final = 0.75


def shared_line_notes(source: Side, target: Side, *, two_species: bool) -> tuple[str, ...]:
    """A warning where lines of the target taught the source: they are no new lines to it.

    Lines of the same name are compared at the markers that both sides have. Without such markers the names
    decide, except between two species, whose lines cannot be the same.

    Parameters
    ----------
    source, target
        Both sides; their phenotyped lines are compared.
    two_species
        Whether gene pairs say that the sides are two species.
    """
    taught = {source.genotypes.accessions[row]: row for row in source.rows.tolist()}
    row_of = {target.genotypes.accessions[row]: row for row in target.rows.tolist()}
    named = [name for name in row_of if name in taught]
    if not named:
        return ()
    alike = _alike(source.genotypes, target.genotypes, [(taught[name], row_of[name]) for name in named])
    same = named if alike is None else [name for name, r in zip(named, alike, strict=True) if r > ONE_LINE]
    if alike is None and two_species:
        return (
            f"{counted(len(named), 'line')} of the source and of the target have the same names, such as "
            f"{named[0]}; gene pairs join two species, so these are different lines.",
        )
    if not same:
        return (
            f"{counted(len(named), 'line')} of the source and of the target have the same names, such as "
            f"{named[0]}, and different genotypes: they are different lines.",
        )
    by = "by their names" if alike is None else "by their names and genotypes"
    return (
        f"Warning: {len(same):,} of the {len(row_of):,} target lines with a value are phenotyped lines "
        f"of the source {by}, such as {same[0]}: the accuracies are not those of new lines. "
        "Leave these lines out of one side.",
    )


def _alike(
    source: Genotypes, target: Genotypes, pairs: Sequence[tuple[int, int]]
) -> NDArray[np.float64] | None:
    """(pairs,) correlation of two lines over the markers of both sides; None where these are too few.

    A line's deviations are from the mean of each marker on its side; calls that one of the two lacks are left
    out.
    """
    import numpy as np

    from budwood.genomics.checks.marker_match import match_markers

    match = match_markers(source.markers, target.markers)
    columns = np.flatnonzero(match.column >= 0)
    if len(columns) < FEWEST_MARKERS:
        return None
    ours, theirs = zip(*pairs, strict=True)
    here = _deviations(source, source.dosage[:, columns])
    there = _deviations(target, match.dosage(target)[:, columns])
    varies = np.nan_to_num(here).any(axis=0) & np.nan_to_num(there).any(axis=0)
    if np.count_nonzero(varies) < FEWEST_MARKERS:
        return None
    one, other = here[np.array(ours)][:, varies], there[np.array(theirs)][:, varies]
    known = np.isfinite(one) & np.isfinite(other)
    one, other = np.where(known, one, 0.0), np.where(known, other, 0.0)
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(size, 1e-300), dtype=np.float64)


def _deviations(genotypes: Genotypes, dosage: NDArray[Any]) -> NDArray[np.float64]:
    """(lines, markers) share of the counted allele minus the marker's mean; NaN where it is missing."""
    import numpy as np

    share = np.where(dosage >= 0, dosage, np.nan) / genotypes.ploidy[:, None]
    known = np.isfinite(share)
    mean = np.where(known, share, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(share - mean, dtype=np.float64)
