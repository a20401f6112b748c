"""Calibrated intervals hold in random folds and for clusters that were held out."""

import csv
from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.contract import Estimator
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL, GBLUP
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.uncertainty.calibrated import Calibrated
from budwood.stats.evaluation.splitters import cluster_folds


def _population(
    seed: int, *, local: float = 0.0, shift: float = 0.0, n: int = 160, m: int = 200
) -> tuple[PanelKernels, np.ndarray, np.ndarray]:
    """Six subpopulations, with marker effects of their own or shifts that no marker model foresees."""
    generator = np.random.default_rng(seed)
    frequency = generator.uniform(0.05, 0.95, (6, m))
    group = generator.integers(0, 6, n)
    dosage = generator.binomial(2, frequency[group]).astype(np.int8)
    genetic = dosage @ generator.standard_normal(m)
    effects = generator.standard_normal((6, m))
    genetic += local * np.einsum("ij,ij->i", dosage - 1.0, effects[group])
    y = genetic / genetic.std() + shift * generator.standard_normal(6)[group]
    y += 0.5 * generator.standard_t(4, n)
    names = [f"line{i:03d}" for i in range(n)]
    return PanelKernels(Genotypes.from_matrix(names, dosage)), y, group


def _covered(model: Estimator, predictors, y, held) -> tuple[np.ndarray, np.ndarray]:
    training, candidates = np.flatnonzero(~held), np.flatnonzero(held)
    found = model.fit(predictors, training, y[training]).predict(predictors.lines(candidates, training))
    inside = (found.lower_90 <= y[candidates]) & (y[candidates] <= found.upper_90)
    return inside, found.upper_90 - found.lower_90


def test_coverage_of_exchangeable_candidates_is_within_binomial_bounds() -> None:
    inside = []
    for seed in range(12):
        predictors, y, _ = _population(seed)
        held = np.random.default_rng(seed).permutation(160) < 40
        inside.append(_covered(Calibrated(GBLUP), predictors, y, held)[0])
    bound = 3.0 * np.sqrt(0.09 / 480)
    assert np.mean(inside) == pytest.approx(0.9, abs=bound)


@pytest.mark.parametrize(("local", "shift"), [(1.0, 0.0), (0.0, 1.0), (0.0, 2.0)])
def test_held_out_subpopulations_are_covered_where_the_model_promises_too_much(local, shift) -> None:
    own, calibrated = [], []
    for seed in range(16):
        predictors, y, group = _population(seed, local=local, shift=shift)
        own.append(_covered(GBLUP, predictors, y, group == 0)[0].mean())
        calibrated.append(_covered(Calibrated(GBLUP), predictors, y, group == 0)[0].mean())
    assert np.mean(own) < np.mean(calibrated) - 0.01
    noise = 2.0 * np.std(calibrated) / 4.0
    assert 0.87 - noise <= np.mean(calibrated) <= 0.96


def test_distant_candidates_get_wider_intervals_where_clusters_shift() -> None:
    ratios = []
    for seed in range(6):
        predictors, y, group = _population(seed, shift=1.0)
        near = np.zeros(160, dtype=bool)
        near[np.flatnonzero(group != 0)[::5]] = True
        held = near | (group == 0)
        distant = group[held] == 0
        widths = [_covered(model, predictors, y, held)[1] for model in (GBLUP, Calibrated(GBLUP))]
        ratios.append([width[distant].mean() / width[~distant].mean() for width in widths])
    own, calibrated = np.mean(ratios, axis=0)
    assert own < 1.25
    assert calibrated > own + 0.1


def test_intervals_of_pure_noise_are_those_of_its_scatter() -> None:
    """No marker matters: any width beyond that of the noise is for nothing."""
    inside, widths = [], []
    for seed in range(6):
        predictors, _, group = _population(seed)
        y = np.random.default_rng(100 + seed).standard_normal(160)
        for held in (np.random.default_rng(seed).permutation(160) < 40, group == 0):
            covered, width = _covered(Calibrated(GBLUP), predictors, y, held)
            inside.append(covered.mean())
            widths.append(width.mean())
    assert np.mean(inside) == pytest.approx(0.9, abs=0.04)
    assert np.mean(widths) == pytest.approx(2.0 * 1.645, rel=0.12)


def test_noisier_relatives_widen_an_interval() -> None:
    """One subpopulation is measured with three times the error; all are covered alike."""
    inside = {True: [], False: []}
    for seed in range(8):
        predictors, y, group = _population(seed)
        noise = np.random.default_rng(50 + seed).standard_normal(160)
        y = y + np.where(group == 0, 3.0, 0.3) * noise
        held = np.random.default_rng(seed).permutation(160) < 40
        covered, _ = _covered(Calibrated(GBLUP), predictors, y, held)
        plain, _ = _covered(GBLUP, predictors, y, held)
        noisy = group[held] == 0
        inside[True].append([covered[noisy].mean(), plain[noisy].mean()])
        inside[False].append([covered[~noisy].mean(), plain[~noisy].mean()])
    calibrated, own = np.mean(inside[True], axis=0)
    assert calibrated > own + 0.05
    assert np.mean(inside[False], axis=0)[0] < np.mean(inside[False], axis=0)[1]


def test_the_point_and_its_error_are_those_of_the_model(panel) -> None:
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    rows = np.arange(60)
    kernels = PanelKernels(panel.genotypes)
    everyone = kernels.lines(np.arange(80), rows)
    plain = GBLUP.fit(kernels, rows, y).predict(everyone)
    found = Calibrated(GBLUP).fit(kernels, rows, y).predict(everyone)
    np.testing.assert_array_equal(found.value, plain.value)
    np.testing.assert_array_equal(found.standard_error, plain.standard_error)
    np.testing.assert_allclose(0.5 * (found.lower_90 + found.upper_90), plain.value, rtol=1e-9)


class _Refitted:
    """A model whose equations cannot be reached."""

    name = "refitted"

    def fit(self, predictors, training, y, weights=None):
        fitted = GBLUP.fit(predictors, training, y, weights)

        class Opaque:
            variance_shares = fitted.variance_shares
            predict = staticmethod(fitted.predict)

        return Opaque()


def test_any_other_model_is_fitted_again_and_nearly_agrees_with_algebra(panel) -> None:
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    rows, candidates = np.arange(60), np.arange(60, 80)
    kernels = PanelKernels(panel.genotypes)
    algebra, refitted = (
        Calibrated(model).fit(kernels, rows, y).predict(kernels.lines(candidates, rows))
        for model in (GBLUP, _Refitted())
    )
    np.testing.assert_array_equal(algebra.value, refitted.value)
    ratio = (algebra.upper_90 - algebra.lower_90) / (refitted.upper_90 - refitted.lower_90)
    # Components that have not seen a fold err more, the more the fewer the records.
    assert 0.75 < ratio.min() <= ratio.max() < 1.1


@pytest.mark.parametrize("model", [GBLUP, GAUSSIAN_KERNEL, MULTI_KERNEL], ids=lambda model: model.name)
def test_few_or_weighted_records_of_few_levels(panel, model) -> None:
    predictors = PanelKernels(panel.genotypes)
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    # Under 20 records their held-out errors say less than the model does.
    plain = model.fit(predictors, np.arange(6), y[:6]).predict(
        predictors.lines(np.arange(60, 80), np.arange(6))
    )
    found = (
        Calibrated(model)
        .fit(predictors, np.arange(6), y[:6])
        .predict(predictors.lines(np.arange(60, 80), np.arange(6)))
    )
    np.testing.assert_array_equal(found.upper_90, plain.upper_90)
    binary = np.zeros(60)
    binary[[3, 17, 31]] = 1.0
    fitted = Calibrated(model).fit(predictors, np.arange(60), binary, np.linspace(0.5, 2.0, 60))
    found = fitted.predict(predictors.lines(np.arange(80), np.arange(60)))
    assert np.isfinite(found.upper_90).all()
    assert (found.lower_90 < found.upper_90).all()


def test_rows_do_not_influence_one_another(panel) -> None:
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    kernels, rows = PanelKernels(panel.genotypes), np.arange(60)
    fitted = Calibrated(GBLUP).fit(kernels, rows, y)
    together, alone = (fitted.predict(kernels.lines(each, rows)) for each in (np.arange(80), np.array([71])))
    np.testing.assert_allclose(alone.upper_90[0], together.upper_90[71], rtol=1e-12)


def _wheat(data: Path, trait: str) -> tuple[PanelKernels, np.ndarray]:
    panel = data / "panels/wheat_cimmyt599"
    stored = np.load(panel / "geno.npz")
    with (panel / "pheno.csv").open(newline="", encoding="utf-8") as handle:
        values = {row["id"]: float(row[trait]) for row in csv.DictReader(handle)}
    names = [str(name) for name in stored["ids"]]
    predictors = PanelKernels(Genotypes.from_matrix(names, stored["dosage"]))
    return predictors, np.array([values[name] for name in names])


@pytest.mark.real
def test_held_out_clusters_of_wheat_are_covered(real_data) -> None:
    """Own intervals of GBLUP cover .82 and .86 of the records of clusters that were held out."""
    own, calibrated = [], []
    for trait in ("X1", "X4"):
        predictors, y = _wheat(real_data, trait)
        clusters = cluster_folds(predictors.kernel(RELATIONSHIP, np.arange(len(y))), 5, smallest=10)
        for cluster in np.unique(clusters):
            own.append(_covered(GBLUP, predictors, y, clusters == cluster)[0].mean())
            calibrated.append(_covered(Calibrated(GBLUP), predictors, y, clusters == cluster)[0].mean())
    assert np.mean(own) < 0.86
    assert 0.87 <= np.mean(calibrated) <= 0.93
