"""The two tasks of the lesson: amino acids of a reading frame, and their hydrophobicity."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import encode

#: Bases of an input.
BASES: Final = 9
INPUTS: Final = 4 * BASES
#: Classes of each of the three places: an amino acid, a stop, or nothing.
LETTERS: Final = "ACDEFGHIKLMNPQRSTVWY*-"
PLACES: Final = 3
OUTPUTS: Final = PLACES * len(LETTERS)
#: Hydropathy of the amino acids (Kyte and Doolittle 1982, J. Mol. Biol. 157:105).
HYDROPATHY: Final = {
    **{
        "A": 1.8,
        "R": -4.5,
        "N": -3.5,
        "D": -3.5,
        "C": 2.5,
        "Q": -3.5,
        "E": -3.5,
        "G": -0.4,
        "H": -3.2,
        "I": 4.5,
    },
    **{
        "L": 3.8,
        "K": -3.9,
        "M": 1.9,
        "F": 2.8,
        "P": -1.6,
        "S": -0.8,
        "T": -0.7,
        "W": -0.9,
        "Y": -1.3,
        "V": 4.2,
    },
}
_START: Final = (0, 3, 2)


def one_hot(windows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Inputs of the network: four numbers for each base, 1 for the base that stands there.

    Parameters
    ----------
    windows
        (n, 9) codes over A C G T.

    Returns
    -------
    ndarray
        (n, 36).

    Examples
    --------
    >>> one_hot(np.zeros((1, 9), dtype=np.uint8))[0, :8].tolist()
    [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    """
    return np.eye(4)[windows].reshape(len(windows), INPUTS)


def amino_acids(window: str) -> str:
    """The three letters of task 1: amino acids of the frame that a start codon opens, up to a stop.

    Parameters
    ----------
    window
        Nine letters over A, C, G, T.

    Returns
    -------
    str
        Three of :data:`LETTERS`; ``-`` stands for nothing.

    Examples
    --------
    >>> amino_acids("ATGAGGGTT"), amino_acids("TTGAGGGTT"), amino_acids("ATGTGGTAA")
    ('MRV', '---', 'MW*')
    """
    codes = encode(window)
    if tuple(codes[:3].tolist()) != _START:
        return "-" * PLACES
    read = translate(codes)
    return read if read[1] != "*" else read[:2] + "-"


def classes(windows: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Numbers of the letters of :func:`amino_acids`.

    Parameters
    ----------
    windows
        (n, 9) codes over A C G T.

    Returns
    -------
    ndarray
        (n, 3) places in :data:`LETTERS`.

    Examples
    --------
    >>> classes(np.array([[0, 3, 2, 0, 2, 2, 2, 3, 3]], dtype=np.uint8)).tolist()
    [[10, 14, 17]]
    """
    opened = (windows[:, :3] == np.array(_START)).all(axis=1)
    read = np.array([[LETTERS.index(letter) for letter in translate(window)] for window in windows])
    nothing = LETTERS.index("-")
    read[read[:, 1] == LETTERS.index("*"), 2] = nothing
    read[~opened] = nothing
    return read


def opened_windows() -> NDArray[np.uint8]:
    """Every window that begins with ATG.

    Returns
    -------
    ndarray
        (4096, 9) codes, by the second and then the third codon.

    Examples
    --------
    >>> opened_windows().shape
    (4096, 9)
    """
    number = np.arange(4096)
    bases = (number[:, None] >> (2 * np.arange(5, -1, -1))) & 3
    start = np.tile(np.array(_START), (4096, 1))
    return np.hstack([start, bases]).astype(np.uint8)


def hydrophobicity(window: str) -> float:
    """Task 2: sum of the hydropathy of the three amino acids.

    Parameters
    ----------
    window
        Nine letters that begin with ATG and have no stop.

    Returns
    -------
    float
        From -7.1 to 10.9.

    Examples
    --------
    >>> round(hydrophobicity("ATGCTTTCT"), 1)
    4.9
    """
    return sum(HYDROPATHY[letter] for letter in translate(encode(window)))


def coding_windows() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Every window that begins with ATG and has no stop, and its hydrophobicity.

    Returns
    -------
    windows, values
        (3721, 9) codes and (3721,).

    Examples
    --------
    >>> windows, values = coding_windows()
    >>> len(windows), round(float(values.std()), 3)
    (3721, 4.247)
    """
    windows = opened_windows()
    read = classes(windows)
    kept = (read < LETTERS.index("*")).all(axis=1)
    scale = np.array([HYDROPATHY[letter] for letter in LETTERS[:20]])
    return windows[kept], scale[read[kept]].sum(axis=1)
