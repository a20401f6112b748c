from collections import Counter

import numpy as np
import pytest

from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import decode
from budwood.simulate.coding_sequence import coding_sequence


@pytest.mark.parametrize("codons", [2, 3, 400])
def test_a_coding_sequence_is_one_open_reading_frame(codons: int) -> None:
    for seed in range(20):
        protein = translate(coding_sequence(np.random.default_rng(seed), codons))
        assert len(protein) == codons
        assert protein[0] == "M"
        assert protein.find("*") == codons - 1


def test_codon_bias_is_that_of_a_plant() -> None:
    letters = decode(coding_sequence(np.random.default_rng(1), 200_000))
    seen = Counter(letters[i : i + 3] for i in range(0, len(letters), 3))
    # Arabidopsis: GAT for aspartate 36.6 and GAC 17.2 of a thousand, AAG 32.7, CGC 3.8.
    expected = {"GAT": 36.6, "GAC": 17.2, "AAG": 32.7, "CGC": 3.8, "GCT": 28.3, "TTT": 21.8}
    for codon, per_thousand in expected.items():
        assert seen[codon] / 200 == pytest.approx(per_thousand, rel=0.1)
