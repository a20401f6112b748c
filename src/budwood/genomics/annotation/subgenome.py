"""Subgenomes of an allopolyploid: which chromosome belongs to which parent species' genome."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from budwood.errors import BudwoodError

_PREFIX: Final = r"(?:chromosome|chrom|chr|lg)?[_\s.-]*"
# 1A, chr03D, Chr7_B; A01, chrC9.
_NUMBER_FIRST: Final = re.compile(rf"{_PREFIX}\d{{1,2}}_?([A-Z])", re.IGNORECASE)
_LETTER_FIRST: Final = re.compile(rf"{_PREFIX}([A-Z])\d{{1,2}}", re.IGNORECASE)


def subgenomes_by_name(contigs: Iterable[str]) -> dict[str, str]:
    """Subgenome of each contig whose name tells it, as in ``1A``, ``chr7D``, ``A01`` or ``chrC09``.

    Parameters
    ----------
    contigs
        Names of contigs.

    Returns
    -------
    dict
        Subgenome (one letter) by contig; contigs whose names show none are left out.

    Raises
    ------
    BudwoodError
        If the names tell fewer than two subgenomes.

    Examples
    --------
    >>> subgenomes_by_name(["1A", "Chr1B", "chrUn", "chr07D_random"])
    {'1A': 'A', 'Chr1B': 'B'}
    """
    names = list(dict.fromkeys(contigs))
    found = {}
    for name in names:
        match = _NUMBER_FIRST.fullmatch(name) or _LETTER_FIRST.fullmatch(name)
        if match:
            found[name] = match.group(1).upper()
    if len(set(found.values())) < 2:
        raise BudwoodError(
            f"the names of the contigs ({', '.join(names[:6])}) do not tell subgenomes",
            mend="give a table of contigs and subgenomes with --subgenomes",
        )
    return found
