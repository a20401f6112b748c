"""Where a source's axis lies among the target's lines: closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.genomics.genotypes import Genotypes
from budwood.stats.relationship.principal_components import principal_components
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.geometry import axis_geometry
from budwood.transfer.score_effect import gblup


def target(lines: int = 60, seed: int = 1) -> TransferTarget:
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.1, 0.9, (2, 150))[np.arange(lines) % 2]
    dosage = (2 * rng.binomial(1, frequency)).astype(np.int8)
    y = dosage[:, :20].sum(axis=1) + 2.0 * rng.normal(size=lines)
    return TransferTarget.of(Genotypes.from_matrix([f"t{i}" for i in range(lines)], dosage), y)


TARGET = target()
AXES = principal_components(TARGET.relationship, count=3).scores


def test_a_score_that_is_the_main_axis_is_all_structure() -> None:
    found = axis_geometry(TARGET, TransferHead(name="h", score=-3.0 * AXES[:, 0] + 7.0))
    assert found is not None
    assert (found.main_r, found.structure_share) == pytest.approx((1.0, 1.0))
    assert found.second_r == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(found.random_main_r)
    assert np.isnan(found.spread)


def test_an_axis_between_two_has_the_cosines_of_its_angles() -> None:
    unit = AXES / np.linalg.norm(AXES, axis=0)
    score = np.cos(0.3) * unit[:, 1] + np.sin(0.3) * unit[:, 2]
    found = axis_geometry(TARGET, TransferHead(name="h", score=score, source_spread=2.0 * np.std(score)))
    assert found is not None
    assert found.second_r == pytest.approx(np.cos(0.3))
    assert found.structure_share == pytest.approx(np.cos(0.3) ** 2)
    assert found.spread == pytest.approx(0.5)


def test_the_traits_own_axis_is_at_no_angle_to_itself() -> None:
    solved = gblup(TARGET.y, [TARGET.relationship])
    genetic = solved.components.kernels[0] * TARGET.relationship @ solved.projected
    same, turned = (axis_geometry(TARGET, TransferHead(name="h", score=s * genetic)) for s in (1.0, -1.0))
    assert same is not None
    assert turned is not None
    assert (same.trait_r, turned.trait_r) == pytest.approx((1.0, -1.0))
    assert same.along == pytest.approx(np.std(genetic))
    assert (same.trait_angle, turned.trait_angle) == pytest.approx((0.0, 180.0), abs=1e-4)
    assert same.beside == pytest.approx(0.0, abs=1e-5 * np.std(genetic))


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 100.0), shift=st.floats(-50.0, 50.0), seed=st.integers(0, 99))
def test_unit_and_place_of_a_score_do_not_matter(factor: float, shift: float, seed: int) -> None:
    score = np.random.default_rng(seed).normal(size=len(TARGET.y))
    one, other = (
        axis_geometry(TARGET, TransferHead(name="h", score=s)) for s in (score, factor * score + shift)
    )
    assert one is not None
    assert other is not None
    assert other.trait_r == pytest.approx(one.trait_r, abs=1e-9)
    assert other.main_r == pytest.approx(one.main_r, abs=1e-9)
    assert one.along**2 + one.beside**2 == pytest.approx(other.along**2 + other.beside**2)


def test_a_kernel_has_its_first_component_and_random_ones_beside() -> None:
    kernel = np.outer(AXES[:, 0], AXES[:, 0])
    other = np.outer(AXES[:, 2], AXES[:, 2])
    found = axis_geometry(TARGET, TransferHead(name="h", kernel=kernel, random_kernels=(other,)))
    assert found is not None
    assert found.axis == "first component of the weighted kernel"
    assert found.main_r == pytest.approx(1.0)
    assert found.random_main_r == pytest.approx(0.0, abs=1e-9)
    assert 0.0 <= found.trait_r <= 1.0


def test_a_score_that_does_not_vary_has_no_axis() -> None:
    assert axis_geometry(TARGET, TransferHead(name="h", score=np.full(60, 5.0))) is None
