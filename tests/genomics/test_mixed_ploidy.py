"""Panels of lines of different ploidy."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes

DOSAGE = np.array([[0, 2, 1], [1, 4, -1], [2, 2, 0]], dtype=np.int8)
PANEL = Genotypes.from_matrix(["di", "tetra", "other"], DOSAGE, ploidy=4)


def test_each_line_has_its_ploidy_and_the_rest_keep_theirs() -> None:
    found = PANEL.with_ploidy({"di": 2, "other": 2, "not here": 6})
    assert found.ploidy.tolist() == [2, 4, 2]
    np.testing.assert_array_equal(found.dosage, PANEL.dosage)
    expected = [[0.0, 1.0, 0.5], [0.25, 1.0, np.nan], [1.0, 1.0, 0.0]]
    np.testing.assert_array_equal(found.frequency_matrix(), expected)
    assert PANEL.ploidy.tolist() == [4, 4, 4]


def test_fractions_and_missing_values() -> None:
    dosage = np.array([[0.4, np.nan], [3.7, 1.0], [np.nan, np.nan]], dtype=np.float32)
    panel = Genotypes.from_matrix(["a", "b", "c"], dosage, ploidy=4).with_ploidy({"a": 2, "c": 2})
    assert panel.ploidy.tolist() == [2, 4, 2]
    with pytest.raises(BudwoodError, match=r"accession 'b' has a dosage of 3.7 and ploidy 2"):
        panel.with_ploidy({"b": 2})


@pytest.mark.parametrize(
    ("ploidy", "told"),
    [
        ({"tetra": 2}, "accession 'tetra' has a dosage of 4 and ploidy 2"),
        ({"di": 0}, "ploidy 0"),
        ({"di": 200}, "ploidy 200"),
        ({"elsewhere": 2}, "no accession with a ploidy is among the genotypes"),
    ],
)
def test_ploidies_that_cannot_be(ploidy: dict[str, int], told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        PANEL.with_ploidy(ploidy)


def test_a_vcf_tells_the_ploidy_of_each_line_itself(tmp_path) -> None:
    header = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdi\ttetra\n"
    rows = "1\t20\tm\tA\tG\t.\t.\t.\tGT\t0/1\t0/0/0/1\n1\t30\tn\tA\tG\t.\t.\t.\tGT\t1/1\t0/1/1/1\n"
    path = tmp_path / "mixed.vcf"
    path.write_text(header + rows)
    found = read_genotypes(path)
    assert found.ploidy.tolist() == [2, 4]
    np.testing.assert_array_equal(found.frequency_matrix(), [[0.5, 1.0], [0.25, 0.75]])
