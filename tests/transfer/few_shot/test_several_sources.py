"""Several sources: their order does not matter, and a useless one costs nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.transfer.few_shot.arms import ALL_SOURCES, DIRECT, FROM_SCRATCH, STACK, TARGET_ALONE, arm_name
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.evaluate import evaluate_few_shot
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.score_effect import decomposed, fit_transfer, gblup

LINES = 120


def target(rng: np.random.Generator) -> tuple[TransferTarget, np.ndarray]:
    """A target and its true genetic values."""
    dosage = (2 * rng.binomial(1, rng.uniform(0.1, 0.9, 200), (LINES, 200))).astype(np.int8)
    true = dosage[:, :20] @ rng.normal(size=20)
    y = true + np.std(true) * rng.normal(size=LINES)
    return TransferTarget.of(Genotypes.from_matrix([f"t{i}" for i in range(LINES)], dosage), y), true


def heads(rng: np.random.Generator, true: np.ndarray) -> tuple[TransferHead, TransferHead, TransferHead]:
    """A useful source, another one, and one that has nothing to do with the trait."""
    scores = [true + 1.5 * np.std(true) * rng.normal(size=LINES) for _ in range(2)]
    scores.append(100.0 * rng.normal(size=LINES))
    return tuple(
        TransferHead(name=f"burdens of {name}", source=name, score=score)
        for name, score in zip("abc", scores, strict=True)
    )  # type: ignore[return-value]


def test_the_order_of_sources_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    found, true = target(rng)
    given = heads(rng, true)
    design = FewShotDesign(sizes=(30, 60), draws=2)
    one, other = (evaluate_few_shot(found, each, design) for each in (given, given[::-1]))
    assert set(one.r) == set(other.r)
    for arm, by in one.r.items():
        for size, values in by.items():
            np.testing.assert_allclose(values, other.r[arm][size], atol=1e-8)


def test_a_useless_second_source_costs_nothing_and_a_useful_one_helps() -> None:
    rng = np.random.default_rng(2)
    design = FewShotDesign(sizes=(50,), draws=4)
    gains = []
    for _ in range(4):
        found, true = target(rng)
        first, second, useless = heads(rng, true)
        arms = [evaluate_few_shot(found, each, design) for each in ((first, useless), (first, second))]
        alone = arm_name(first, "GBLUP + source")
        gains.append([float((each.r[STACK][50] - each.r[alone][50]).mean()) for each in arms])
    lost, won = np.mean(gains, axis=0)
    assert lost > -0.03
    assert won > max(lost, 0.0)


def test_without_phenotypes_all_sources_count_alike() -> None:
    rng = np.random.default_rng(3)
    found, true = target(rng)
    first, second, _ = heads(rng, true)
    louder = replace(second, score=1e6 * second.score)
    design = FewShotDesign(sizes=(0,), draws=3)
    one, other = (evaluate_few_shot(found, (first, each), design) for each in (second, louder))
    arm = f"{ALL_SOURCES}: {DIRECT}"
    np.testing.assert_allclose(one.r[arm][0], other.r[arm][0])
    assert one.r[arm][0].mean() > one.r[arm_name(first, DIRECT)][0].mean()
    assert arm not in evaluate_few_shot(found, (replace(first, source=""),), design).r


def test_from_scratch_is_gblup_on_the_heads_own_features() -> None:
    rng = np.random.default_rng(4)
    found, true = target(rng)
    head = replace(heads(rng, true)[0], own=found.relationship, own_random=np.eye(LINES))
    results = evaluate_few_shot(found, (head,), FewShotDesign(sizes=(40,), draws=2))
    np.testing.assert_allclose(results.r[arm_name(head, FROM_SCRATCH)][40], results.r[TARGET_ALONE][40])
    assert arm_name(head, FROM_SCRATCH, "random weights") in results.r


def test_a_relationship_decomposed_once_gives_the_same_fit() -> None:
    rng = np.random.default_rng(5)
    found, true = target(rng)
    known = decomposed(found.relationship)
    score = true + rng.normal(size=LINES)
    one = fit_transfer(found.y, score, found.relationship)
    other = fit_transfer(found.y, score, found.relationship, known)
    assert other.effect == one.effect
    np.testing.assert_array_equal(other.leave_one_out(), one.leave_one_out())
    noise = rng.normal(size=LINES)
    exact = gblup(found.relationship @ noise, [found.relationship], known)
    plain = gblup(found.relationship @ noise, [found.relationship])
    assert exact.components.kernels == pytest.approx(plain.components.kernels, rel=1e-6)
