"""Panel: alignment by name, labelled axes, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.panel.example import example_panel, write_example
from budwood.panel.haplotypes import build_haplotypes
from budwood.panel.marker_weights import MarkerWeights
from budwood.panel.panel import HaplotypeVectors


def test_haplotypes_follow_the_order_of_the_genotypes(tmp_path) -> None:
    panel, files = example_panel(), write_example(tmp_path)
    table = build_haplotypes(files.genotypes, files.reference)
    chosen = ["line33", "line02", "line59"]
    part = replace(panel, haplotypes=table).take(chosen)
    assert part.haplotypes is not None
    assert part.haplotypes.accessions == part.accessions == tuple(chosen)
    rows = [table.accessions.index(name) for name in chosen]
    assert (part.haplotypes.codes == table.codes[rows]).all()
    assert (part.genotypes.dosage == panel.genotypes.dosage[rows]).all()


def test_taking_candidates_leaves_no_phenotypes() -> None:
    panel = example_panel()
    assert panel.take(["line55"]).phenotypes is None
    assert panel.take(["line55"]).traits == ()
    part = panel.take(["line55", "line03", "line01"])
    assert list(part.values("height")) == ["line03", "line01"]
    assert part.values("height").items() <= panel.values("height").items()


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        (lambda panel: panel.take(["line1"]), "accession 'line1' is not in the panel: did you mean"),
        (lambda panel: panel.take(["line01", "line01"]), "chosen twice"),
        (lambda panel: panel.values("hieght"), "did you mean 'height'"),
        (lambda panel: panel.take(["line55"]).values("height"), "the panel has no phenotypes"),
        (
            lambda panel: replace(panel, weights=MarkerWeights({"function": np.ones(3)})),
            "do not fit 120 markers",
        ),
        (
            lambda panel: replace(
                panel,
                vectors=HaplotypeVectors(values=np.ones((2, 4), np.float32), checkpoint="c", digest="d"),
            ),
            "2 vectors do not fit 0 haplotype",
        ),
        (
            lambda panel: replace(
                panel, genotypes=Genotypes.from_matrix(["x"], np.array([[1]], np.int8)), identity=None
            ),
            "line01",
        ),
    ],
)
def test_what_does_not_fit_is_refused(do, sentence: str) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        do(example_panel())
