"""Random coding sequences with the codon usage of a plant."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genetic_code import translate

# Codons per thousand in Arabidopsis thaliana, in the order of their index 16 a + 4 b + c over A C G T
# (Nakamura, Gojobori and Ikemura 2000, Nucleic Acids Res. 28:292, Codon Usage Database). Counts on TAIR10
# genes correlate with them with r = 0.99.
# fmt: off
_PER_THOUSAND: Final = np.array([
    30.8, 20.9, 32.7, 22.3, 15.7, 10.3, 7.7, 17.5, 19.0, 11.3, 11.0, 14.0, 12.6, 18.5, 24.5, 21.5,
    19.4, 8.7, 15.2, 13.8, 16.1, 5.3, 8.6, 18.7, 6.3, 3.8, 4.9, 9.0, 9.9, 16.1, 9.8, 24.1,
    34.3, 17.2, 32.2, 36.6, 17.5, 10.3, 9.0, 28.3, 24.2, 9.2, 10.2, 22.2, 9.9, 12.8, 17.4, 27.2,
    0.9, 13.7, 0.5, 14.6, 18.3, 11.2, 9.3, 25.2, 1.2, 7.2, 12.5, 10.5, 12.7, 20.7, 20.9, 21.8,
])
# fmt: on
_CODONS: Final = np.stack([np.arange(64) // 16, np.arange(64) // 4 % 4, np.arange(64) % 4], axis=1)
_STOP: Final = np.array([letter == "*" for letter in translate(_CODONS.astype(np.uint8))])


def coding_sequence(rng: np.random.Generator, codons: int) -> NDArray[np.uint8]:
    """Draw a random open reading frame with a plant's amino-acid composition and codon usage.

    Parameters
    ----------
    rng
        Random number generator.
    codons
        Number of codons including start and stop, at least 2.

    Returns
    -------
    numpy.ndarray
        (3 * codons,) ``uint8`` codes: ATG, sense codons, one stop codon.

    Examples
    --------
    >>> from budwood.genomics.genetic_code import translate
    >>> protein = translate(coding_sequence(np.random.default_rng(1), 50))
    >>> protein[0], protein.index("*"), len(protein)
    ('M', 49, 50)
    """
    sense = np.where(_STOP, 0.0, _PER_THOUSAND)
    stop = np.where(_STOP, _PER_THOUSAND, 0.0)
    index = np.empty(codons, dtype=np.intp)
    index[0] = 0b001110  # ATG
    index[1:-1] = rng.choice(64, size=codons - 2, p=sense / sense.sum())
    index[-1] = rng.choice(64, p=stop / stop.sum())
    return np.stack([index // 16, index // 4 % 4, index % 4], axis=1).astype(np.uint8).ravel()
