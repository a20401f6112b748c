"""The standard genetic code."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# One letter per codon, codons in the order of their index 16 a + 4 b + c over A C G T; X stands last.
_AMINO_ACIDS: Final = np.frombuffer(
    b"KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLFX", dtype=np.uint8
)
_WEIGHTS: Final = np.array([16, 4, 1])
_UNKNOWN: Final = 64
_LARGEST_BASE: Final = 3


def translate(codes: NDArray[np.uint8]) -> str:
    """Translate a coding sequence by the standard genetic code.

    Parameters
    ----------
    codes
        (3 * codons,) codes over A C G T N.

    Returns
    -------
    str
        One letter for each codon; a stop codon is ``*``, a codon with an N is ``X``.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> translate(encode("ATGGCTTGGGCNTAA"))
    'MAWX*'
    """
    codons = codes.reshape(-1, 3)
    index = codons @ _WEIGHTS
    index[(codons > _LARGEST_BASE).any(axis=1)] = _UNKNOWN
    letters: bytes = _AMINO_ACIDS[index].tobytes()
    return letters.decode("ascii")
