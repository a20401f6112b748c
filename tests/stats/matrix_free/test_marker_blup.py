"""The products' way through the mixed model against the dense one."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.stats.matrix_free.marker_blup import marker_blup, marker_blups
from budwood.stats.matrix_free.stochastic_reml import stochastic_reml
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import centred_products
from stats.matrix_free.conftest import KINDS

CASES = [(kind, False, False) for kind in KINDS] + [
    ("complete", True, False),
    ("missing", False, True),
    ("missing", True, True),
]


def _case(panel, kind, covariates, weighted, lines=150):
    """Relationship as a product and as a matrix, records, fixed effects and weights."""
    z = panel(kind, lines=lines, markers=300, seed=2)
    n, rng = len(z), np.random.default_rng(5)
    rows = np.arange(n) if z.rows is None else z.rows
    dense = centred_products(z.dosage, z.ploidy, z.summary).relationship()[np.ix_(rows, rows)]
    effect = z.times(rng.normal(size=(z.markers, 1)))[:, 0]
    y = 3.0 + effect / effect.std() + rng.normal(size=n)
    fixed = np.column_stack([np.ones(n), rng.normal(size=(n, 2))]) if covariates else None
    weights = rng.uniform(0.3, 3.0, n) if weighted else None
    relationship = WhitenedRelationship(z, whitened_design(n, fixed, weights))
    return relationship, dense, y, np.ones((n, 1)) if fixed is None else fixed, weights


@pytest.mark.parametrize(("kind", "covariates", "weighted"), CASES)
def test_equal_to_the_dense_equations(panel, kind, covariates, weighted) -> None:
    relationship, dense, y, fixed, weights = _case(panel, kind, covariates, weighted)
    components = VarianceComponents((0.7,), 0.9, 0.0)
    _, space = stochastic_reml(relationship, y[:, None])
    exact = blup(y, [dense], components, fixed=fixed, weights=weights)
    solved = marker_blup(relationship, y, components, space=space, samples=400)
    scale = float(np.std(y))
    np.testing.assert_allclose(solved.fixed_effects, exact.fixed_effects, atol=1e-6 * scale)
    np.testing.assert_allclose(solved.fixed_covariance, exact.fixed_covariance, rtol=1e-6)
    expected = exact.predict([dense], [np.diagonal(dense)], fixed=fixed)
    z = relationship.markers
    found = solved.predict(
        z.times, z.squares * z.unit, z.missing_squares * z.unit, np.arange(len(y)), fixed=fixed
    )
    np.testing.assert_allclose(found.value, expected.value, atol=1e-6 * scale)
    np.testing.assert_allclose(found.effect_variance, expected.effect_variance, rtol=1e-5)
    for name in ("pev_effect", "pev_value", "pev_record"):
        ratio = np.sqrt(getattr(found, name) / getattr(expected, name))
        assert abs(ratio.mean() - 1.0) < 0.02
        # Lines have a Monte Carlo error each, of the size that is stated.
        assert np.std(ratio) < 1.5 * solved.monte_carlo_error


def test_lines_beside_the_training_lines_are_predicted_like_the_dense_engine(panel) -> None:
    z = panel("missing", lines=150, markers=300, seed=2)
    learn, new = np.arange(110), np.arange(110, 150)
    rng = np.random.default_rng(0)
    own = type(z)(dosage=z.dosage, ploidy=z.ploidy, summary=z.summary, rows=learn)
    others = type(z)(dosage=z.dosage, ploidy=z.ploidy, summary=z.summary, rows=new)
    dense = centred_products(z.dosage, z.ploidy, z.summary).relationship()
    y = rng.normal(size=110)
    components = VarianceComponents((0.5,), 0.8, 0.0)
    relationship = WhitenedRelationship(own, whitened_design(110))
    _, space = stochastic_reml(relationship, y[:, None])
    solved = marker_blup(relationship, y, components, space=space, samples=400)
    exact = blup(y, [dense[np.ix_(learn, learn)]], components)
    expected = exact.predict([dense[np.ix_(new, learn)]], [np.diagonal(dense)[new]])
    found = solved.predict(
        others.times,
        others.squares * z.unit,
        others.missing_squares * z.unit,
        np.full(40, -1),
        fixed=np.ones((40, 1)),
    )
    np.testing.assert_allclose(found.value, expected.value, atol=1e-6)
    ratio = np.sqrt(found.pev_value / expected.pev_value)
    assert abs(ratio.mean() - 1.0) < 0.03
    assert np.std(ratio) < 0.1


@pytest.mark.parametrize(("kind", "covariates", "weighted"), CASES)
def test_variance_components_lie_within_their_stated_error(panel, kind, covariates, weighted) -> None:
    relationship, dense, y, fixed, weights = _case(panel, kind, covariates, weighted, lines=240)
    exact = reml(y, [dense], fixed=fixed, weights=weights)
    own = exact.kernels[0] * relationship.mean_eigenvalue
    errors = []
    for seed in range(4):
        (found,), _ = stochastic_reml(relationship, y[:, None], seed=seed)
        errors.append((found.share - own / (own + exact.residual)) / found.monte_carlo_error)
        assert found.monte_carlo_error < 0.5 * found.standard_error
        assert found.components.residual == pytest.approx(exact.residual, abs=0.1)
    assert np.max(np.abs(errors)) < 4.0
    assert np.sqrt(np.mean(np.square(errors))) < 2.0


@pytest.mark.parametrize("probes", [2, 4, 8])
def test_passes_go_on_where_the_space_has_not_met_the_smallest_eigenvalues(panel, probes) -> None:
    z = panel("missing", lines=500, markers=150, seed=3)
    dense = centred_products(z.dosage, z.ploidy, z.summary).relationship()
    rng = np.random.default_rng(0)
    effect = z.times(rng.normal(size=(z.markers, 1)))[:, 0]
    y = effect / effect.std() + rng.normal(size=500)
    relationship = WhitenedRelationship(z, whitened_design(500))
    exact = reml(y, [dense])
    own = exact.kernels[0] * relationship.mean_eigenvalue
    (found,), _ = stochastic_reml(relationship, y[:, None], probes=probes)
    assert found.share == pytest.approx(own / (own + exact.residual), abs=2.0 * found.standard_error)
    assert found.share < 0.9


def test_several_traits_share_the_passes(panel) -> None:
    relationship, _, y, _, _ = _case(panel, "complete", False, False)
    other = np.random.default_rng(9).permutation(y)
    both, _ = stochastic_reml(relationship, np.column_stack([y, other]), passes=40)
    (alone,), _ = stochastic_reml(relationship, y[:, None], passes=40)
    assert both[0].share == pytest.approx(alone.share, abs=0.05)
    assert both[1].share < both[0].share


@pytest.mark.parametrize(("kind", "covariates", "weighted"), [CASES[0], CASES[-1]])
def test_several_traits_are_solved_as_each_alone(panel, kind, covariates, weighted) -> None:
    relationship, _, y, fixed, _ = _case(panel, kind, covariates, weighted)
    rng = np.random.default_rng(3)
    several = np.column_stack([y, rng.permutation(y) * 40.0, y + rng.normal(size=len(y)), 1e-3 * y**2])
    components = [
        VarianceComponents((u,), e, 0.0) for u, e in ((0.7, 0.9), (0.0, 1.0), (9.0, 0.3), (1e-3, 2.0))
    ]
    estimates, space = stochastic_reml(relationship, several)
    found = marker_blups(relationship, several, components, space=space, samples=400)
    z = relationship.markers
    lines = (z.times, z.squares * z.unit, z.missing_squares * z.unit, np.full(len(y), -1))
    for trait, (each, own) in enumerate(zip(found, components, strict=True)):
        (alone,), own_space = stochastic_reml(relationship, several[:, [trait]])
        # The same probes: what differs is when the space has settled.
        assert estimates[trait].share == pytest.approx(alone.share, abs=0.1 * max(alone.standard_error, 0.01))
        expected = marker_blup(relationship, several[:, trait], own, space=own_space, samples=400)
        scale = float(np.std(several[:, trait]))
        np.testing.assert_allclose(each.effects, expected.effects, atol=1e-6 * scale)
        np.testing.assert_allclose(each.training_effect, expected.training_effect, atol=1e-6 * scale)
        np.testing.assert_allclose(each.fixed_effects, expected.fixed_effects, atol=1e-6 * scale)
        np.testing.assert_allclose(each.fixed_covariance, expected.fixed_covariance, rtol=1e-5)
        new, one = (solved.predict(*lines, fixed=fixed) for solved in (each, expected))
        np.testing.assert_allclose(new.value, one.value, atol=2e-6 * scale)
        np.testing.assert_allclose(np.sqrt(new.pev_value), np.sqrt(one.pev_value), rtol=0.02)


def test_one_pass_serves_all_traits(panel) -> None:
    relationship, _, y, _, _ = _case(panel, "complete", False, False)
    several = np.column_stack([y, y + np.random.default_rng(3).normal(size=len(y))])
    components = [VarianceComponents((u,), 0.9, 0.0) for u in (0.5, 0.9)]
    both = marker_blups(relationship, several, components, samples=16)
    alone = [
        marker_blups(relationship, several[:, [k]], components[k : k + 1], samples=16)[0] for k in (0, 1)
    ]
    assert both[0].passes == both[1].passes
    assert both[0].passes <= max(each.passes for each in alone) + 6


def test_without_samples_nothing_is_known_of_errors(panel) -> None:
    relationship, _, y, _, _ = _case(panel, "missing", False, False)
    components = VarianceComponents((0.7,), 0.9, 0.0)
    none, some = (marker_blup(relationship, y, components, samples=count) for count in (0, 8))
    np.testing.assert_allclose(none.effects, some.effects, atol=1e-6)
    z = relationship.markers
    np.testing.assert_allclose(none.training_pev, 0.7 * z.squares * z.unit)


def test_no_genetic_variance_predicts_the_mean(panel) -> None:
    relationship, _, y, fixed, _ = _case(panel, "complete", True, False)
    _, space = stochastic_reml(relationship, y[:, None])
    solved = marker_blup(relationship, y, VarianceComponents((0.0,), 1.0, 0.0), space=space, samples=4)
    assert not solved.effects.any()
    assert not solved.training_pev.any()
    np.testing.assert_allclose(solved.fixed_effects, np.linalg.lstsq(fixed, y, rcond=None)[0], atol=1e-8)
