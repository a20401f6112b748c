from itertools import product

from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import encode

# NCBI translation table 1, codons in its own order (T C A G).
STANDARD = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"


def test_every_codon_by_the_standard_code() -> None:
    codons = "".join("".join(codon) for codon in product("TCAG", repeat=3))
    assert translate(encode(codons)) == STANDARD


def test_a_codon_with_an_unknown_base_is_unknown() -> None:
    assert translate(encode("GCNNAANNNATG")) == "XXXM"


def test_nothing_translates_to_nothing() -> None:
    assert translate(encode("")) == ""
