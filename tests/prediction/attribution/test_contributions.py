"""Contributions of windows sum to predictions and follow from brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.panel.panel import HaplotypeVectors, Panel
from budwood.prediction.attribution.contributions import (
    ADDITIVE_MODELS,
    attribute_windows,
    check_additive,
)
from budwood.prediction.trait_model import TraitModel
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel, window_contributions

N, WINDOWS = 40, 30


def panel(seed: int = 0, missing: float = 0.0) -> Panel:
    """Lines with one marker and two sequences in each window, placed on the same grid."""
    random = np.random.default_rng(seed)
    carried = (random.random((N, WINDOWS)) < random.uniform(0.2, 0.8, WINDOWS)).astype(np.int8)
    dosage = np.where(random.random(carried.shape) < missing, -1, 2 * carried).astype(np.int8)
    names = [f"line{i:02d}" for i in range(N)]
    plain = Genotypes.from_matrix(names, dosage)
    markers = replace(
        plain.markers,
        contig=np.full(WINDOWS, "c1", dtype=object),
        position=np.arange(WINDOWS, dtype=np.int64) * 512 + 100,
    )
    table = HaplotypeTable(
        accessions=tuple(names),
        windows=tuple(Interval("c1", 512 * w, 512 * w + 512) for w in range(WINDOWS)),
        sequences=random.integers(0, 4, (2 * WINDOWS, 512), dtype=np.uint8),
        offsets=np.arange(WINDOWS + 1, dtype=np.int64) * 2,
        codes=np.repeat(carried[:, :, None], 2, axis=2).astype(np.uint8),
        assumptions={},
    )
    vectors = random.normal(size=(2 * WINDOWS, 6)).astype(np.float32)
    made = HaplotypeVectors(values=vectors, checkpoint="made up", digest="d")
    return Panel(genotypes=replace(plain, markers=markers), haplotypes=table, vectors=made)


def trait(given: Panel, seed: int = 1) -> np.ndarray:
    y = 3.0 * given.genotypes.dosage[:, 4] + np.random.default_rng(seed).normal(size=N)
    y[32:] = np.nan
    return y


@pytest.mark.parametrize("model", [name for name in ADDITIVE_MODELS if name != "subgenomes"])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_contributions_sum_to_the_predictions(model: str, missing: float) -> None:
    given = panel(missing=missing)
    fitted = TraitModel(model).fit(given, trait(given))
    found = attribute_windows(fitted, given)
    assert found.error < 1e-6
    np.testing.assert_allclose(found.prediction, fitted.predict(given).prediction)
    assert len(found.windows) <= WINDOWS
    assert (found.unknown_calls[32:] == 0).all()
    if model in ("gblup", "gblup+dna"):
        assert found.importance.argmax() == 4


def test_lines_alone_have_the_same_contributions() -> None:
    given = panel()
    fitted = TraitModel("gblup+dna").fit(given, trait(given))
    whole = attribute_windows(fitted, given)
    rows = np.arange(35, 40)
    assert given.haplotypes is not None
    part = replace(given, genotypes=given.genotypes.take(rows), haplotypes=given.haplotypes.take(rows))
    np.testing.assert_allclose(attribute_windows(fitted, part).total, whole.total[rows], atol=1e-9)


def test_windows_by_brute_force() -> None:
    given = panel(3)
    assert given.haplotypes is not None
    assert given.vectors is not None
    codes, offsets, vectors = given.haplotypes.codes, given.haplotypes.offsets, given.vectors.values
    weights = np.random.default_rng(2).normal(size=25)
    training = np.arange(25)
    parts, directions = window_contributions(codes, offsets, vectors, training, weights)
    mask = np.arange(N) < 25
    kernel = haplotype_kernel(codes, offsets, vectors, training=mask)
    wide = vectors.astype(float)
    features = np.stack([wide[offsets[w] + codes[:, w]].mean(axis=1) for w in range(WINDOWS)], axis=1)
    features -= features[:25].mean(axis=0)
    expected = np.einsum("iwd,twd,t->iw", features, features[:25], weights - weights.mean())
    np.testing.assert_allclose(parts, expected, atol=1e-6)
    np.testing.assert_allclose(np.einsum("iwd,wd->iw", features, directions), expected, atol=1e-6)
    unit = np.einsum("iwd,iwd->i", features[:25], features[:25]).mean()
    centred = weights - weights.mean()
    np.testing.assert_allclose(parts.sum(axis=1) / unit, kernel[:, :25] @ centred, atol=1e-6)


def test_models_that_are_no_sums_are_refused() -> None:
    given = panel()
    for name in ("gaussian", "random-forest"):
        with pytest.raises(BudwoodError, match="no sums over windows"):
            check_additive(name)
    fitted = TraitModel("gaussian").fit(given.genotypes, trait(given))
    with pytest.raises(BudwoodError, match="no sums over windows"):
        attribute_windows(fitted, given)
