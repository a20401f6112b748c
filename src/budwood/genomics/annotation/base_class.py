"""What a base is part of: the classes the encoder learns to tell apart."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class BaseClass(IntEnum):
    """Class of a base on the forward strand of its contig.

    ``CODING_<strand>_<k>`` is the k-th base of a codon counted along the transcript. The marks of gene
    structure (the two bases at either end of an intron, start and stop codons) take precedence over the
    class they lie in.
    """

    INTERGENIC = 0
    INTRON = 1
    UTR = 2
    CODING_FORWARD_0 = 3
    CODING_FORWARD_1 = 4
    CODING_FORWARD_2 = 5
    CODING_REVERSE_0 = 6
    CODING_REVERSE_1 = 7
    CODING_REVERSE_2 = 8
    DONOR_FORWARD = 9
    DONOR_REVERSE = 10
    ACCEPTOR_FORWARD = 11
    ACCEPTOR_REVERSE = 12
    START_FORWARD = 13
    START_REVERSE = 14
    STOP_FORWARD = 15
    STOP_REVERSE = 16


#: Label of a base without annotation.
UNLABELLED: Final = 255


def _complement(region: BaseClass) -> BaseClass:
    name = region.name
    for here, there in (("FORWARD", "REVERSE"), ("REVERSE", "FORWARD")):
        if here in name:
            return BaseClass[name.replace(here, there)]
    return region


#: Class of the same base seen from the other strand, by class.
COMPLEMENT_REGION: Final = tuple(int(_complement(region)) for region in BaseClass)

#: Classes of protein-coding bases.
CODING: Final = tuple(int(r) for r in BaseClass if r.name.split("_")[0] in {"CODING", "START", "STOP"})
