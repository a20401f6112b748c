"""Superfamilies of transposons under one name each, whatever a file calls them.

Wicker et al. 2007, Nature Reviews Genetics 8:973 (three-letter codes).
"""

from __future__ import annotations

import re
from typing import Final

#: Superfamilies by the letters of their names in lower case, as EDTA, RepeatMasker and TAIR write them.
_NAMES: Final = {
    "gypsy": "LTR/Gypsy",
    "rlg": "LTR/Gypsy",
    "copia": "LTR/Copia",
    "rlc": "LTR/Copia",
    "helitron": "RC/Helitron",
    "dhh": "RC/Helitron",
    "dta": "DNA/hAT",
    "hat": "DNA/hAT",
    "dtc": "DNA/CACTA",
    "cacta": "DNA/CACTA",
    "enspm": "DNA/CACTA",
    "cmcenspm": "DNA/CACTA",
    "dth": "DNA/Harbinger",
    "harbinger": "DNA/Harbinger",
    "pifharbinger": "DNA/Harbinger",
    "dtm": "DNA/MuDR",
    "mudr": "DNA/MuDR",
    "mule": "DNA/MuDR",
    "mulemudr": "DNA/MuDR",
    "mutator": "DNA/MuDR",
    "dtt": "DNA/Mariner",
    "mariner": "DNA/Mariner",
    "tc1": "DNA/Mariner",
    "tcmar": "DNA/Mariner",
    "tcmarstowaway": "DNA/Mariner",
    "stowaway": "DNA/Mariner",
    "pogo": "DNA/Mariner",
    "line": "LINE",
    "l1": "LINE",
    "sine": "SINE",
}


def superfamily(repeat_class: str) -> str | None:
    """The superfamily that a class names.

    Parameters
    ----------
    repeat_class
        Class as a file writes it, such as ``DNA/DTA``, ``LTR/Gypsy`` or ``LTR_retrotransposon``.

    Returns
    -------
    str or None
        One name for each superfamily; None where the class names none.

    Examples
    --------
    >>> superfamily("DNA/DTA"), superfamily("DNA/HAT"), superfamily("Gypsy_LTR_retrotransposon")
    ('DNA/hAT', 'DNA/hAT', 'LTR/Gypsy')
    >>> superfamily("DNA/En-Spm"), superfamily("MITE/DTH"), superfamily("Unassigned")
    ('DNA/CACTA', 'DNA/Harbinger', None)
    """
    whole = repeat_class.lower()
    for part in (*reversed(whole.split("/")), *re.split(r"[/_\s?]+", whole)):
        name = _NAMES.get(re.sub(r"[^a-z0-9]", "", part))
        if name is not None:
            return name
    return None
