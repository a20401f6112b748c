"""Counting all four copies of a potato is worth it."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.splitters import random_folds


def mean_r(genotypes: Genotypes, values: dict[str, float]) -> float:
    rows = np.array([row for name, row in genotypes.row.items() if name in values])
    y = np.array([values[genotypes.accessions[row]] for row in rows])
    predictors, found = PanelKernels(genotypes).take(rows), []
    fold_of = random_folds(predictors.genotypes.accessions, 5, 0)
    for fold in range(5):
        training, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        found.append(
            pearson_r(
                GBLUP.fit(predictors, training, y[training])
                .predict(predictors.lines(held_out, training))
                .value,
                y[held_out],
            )
        )
    return float(np.mean(found))


@pytest.mark.real
def test_tetraploid_dosages_predict_better_than_diploid_classes(real_data) -> None:
    """The first traits of each panel's file, not a choice of those where it helps."""
    four, two = [], []
    for panel in ("potato_gwaspoly", "potato_stagewise"):
        genotypes = read_genotypes(real_data / "panels" / panel)
        assert set(genotypes.ploidy) == {4}
        classes = np.sign(genotypes.dosage) + (genotypes.dosage == 4)
        classes[genotypes.dosage < 0] = -1
        copies = np.full_like(genotypes.ploidy, 2)
        diploid = Genotypes(genotypes.accessions, genotypes.markers, classes.astype(np.int8), copies)
        phenotypes = read_phenotypes(real_data / "panels" / panel / "pheno.csv")
        for trait in phenotypes.traits[:3]:
            four.append(mean_r(genotypes, phenotypes.means(trait)))
            two.append(mean_r(diploid, phenotypes.means(trait)))
    assert np.mean(four) > np.mean(two)
    assert np.mean(four) > 0.38
