"""One rule says which lines are far, in a panel and for lines of another file."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.distant_lines import DistantLines
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.trait_model import TraitModel


def _groups(seed: int) -> tuple[Genotypes, np.ndarray]:
    """60 phenotyped lines and 30 others of one population, and 20 of another."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.2, 0.8, (2, 150))
    group = np.repeat([0, 0, 1], [60, 30, 20])
    dosage = rng.binomial(2, frequency[group]).astype(np.int8)
    y = np.where(np.arange(110) < 60, dosage[:, :9].sum(axis=1) + rng.normal(size=110), np.nan)
    return Genotypes.from_matrix([f"line{i:03d}" for i in range(110)], dosage), y


@pytest.mark.parametrize("seed", range(3))
def test_new_lines_are_judged_as_candidates_of_the_panel_are(seed: int) -> None:
    genotypes, y = _groups(seed)
    # As predict takes them: clusters of equal distances depend on the last digit.
    in_order = genotypes.take_markers(genotypes.order()[1])
    kernel = PanelKernels(in_order).kernel(RELATIONSHIP, np.arange(110))
    far, clusters = DistantLines(kernel, np.arange(60)).judge()
    fitted = TraitModel("gblup").fit(genotypes, y)
    assert fitted.predict(genotypes).extrapolation.tolist() == far.tolist()
    order = np.random.default_rng(seed).permutation(np.arange(60, 110))
    assert fitted.predict(genotypes.take(order)).extrapolation.tolist() == far[order].tolist()
    assert far[90:].all()
    assert far[60:90].mean() < 0.3
    assert sum(len(each.rows) for each in clusters) == 50


def test_fractional_and_whole_dosages_are_judged_alike() -> None:
    genotypes, y = _groups(0)
    fitted = TraitModel("gblup").fit(genotypes, y)
    dosage = genotypes.dosage.astype(np.float32)
    fractional = Genotypes(genotypes.accessions, genotypes.markers, dosage, genotypes.ploidy)
    rows = np.arange(60, 110)
    assert (fitted.predict(fractional.take(rows)).extrapolation[30:]).all()
    same = fitted.predict(genotypes.take(rows)).extrapolation
    assert fitted.predict(fractional.take(rows)).extrapolation.tolist() == same.tolist()
