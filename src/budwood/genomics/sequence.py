"""DNA as small integers: the codes every layer shares.

A sequence is a ``uint8`` array over the alphabet ``A C G T N`` (codes 0 to 4). The encoder's two extra
symbols, mask (5) and pad (6), are defined here as well so that a code means the same thing everywhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

A, C, G, T, N, MASK, PAD = range(7)
LETTERS: Final = "ACGTN#."
VOCABULARY_SIZE: Final = 7

_ENCODE: Final = np.full(256, N, dtype=np.uint8)
for _code, _letter in enumerate("ACGT"):
    _ENCODE[ord(_letter)] = _ENCODE[ord(_letter.lower())] = _code
_ENCODE[ord("U")] = _ENCODE[ord("u")] = T
_ENCODE[ord("#")] = MASK
_ENCODE[ord(".")] = PAD
_DECODE: Final = np.frombuffer(LETTERS.encode(), dtype=np.uint8)
_COMPLEMENT: Final = np.array([T, G, C, A, N, MASK, PAD], dtype=np.uint8)


def encode(letters: str | bytes) -> NDArray[np.uint8]:
    """Codes of a DNA string; any letter outside ``ACGTU`` (IUPAC codes too) becomes N.

    Parameters
    ----------
    letters
        The sequence; lower case counts as upper case.

    Returns
    -------
    ndarray
        (length,) ``uint8``.

    Examples
    --------
    >>> encode("acGTNR")
    array([0, 1, 2, 3, 4, 4], dtype=uint8)
    """
    raw = letters.encode("ascii", "replace") if isinstance(letters, str) else letters
    return _ENCODE[np.frombuffer(raw, dtype=np.uint8)]


def decode(codes: NDArray[np.uint8]) -> str:
    """Letters of a code array (mask is ``#``, pad is ``.``).

    Parameters
    ----------
    codes
        Codes of one sequence.

    Returns
    -------
    str
        One letter for each code.

    Examples
    --------
    >>> decode(encode("ACGTN"))
    'ACGTN'
    """
    return _DECODE[codes].tobytes().decode("ascii")


def reverse_complement(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Reverse complement along the last axis.

    Parameters
    ----------
    codes
        (..., length) codes.

    Returns
    -------
    ndarray
        Codes of the same shape.

    Examples
    --------
    >>> decode(reverse_complement(encode("AACGN")))
    'NCGTT'
    """
    return _COMPLEMENT[codes[..., ::-1]]
