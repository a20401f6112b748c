"""Heads of a source: equal to ridge regression, and to the source's own model where markers are shared."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.prediction.trait_model import TraitModel
from budwood.transfer.embedded_lines import EmbeddedLines
from budwood.transfer.heads import MARKERS, HeadOptions, TransferSource, carry_heads
from budwood.transfer.locus_map import LocusMap
from budwood.transfer.random_source import random_scores, random_traits
from budwood.transfer.source_head import SourceHead


def panel(n: int, rng: np.random.Generator, frequency: np.ndarray, name: str = "line") -> Genotypes:
    m = len(frequency)
    words = np.array([f"m{j}" for j in range(m)], dtype=object)
    held = Markers(
        words,
        np.full(m, "1", dtype=object),
        np.arange(m, dtype=np.int64) * 1000,
        np.full(m, "A", dtype=object),
        np.full(m, "G", dtype=object),
    )
    dosage = rng.binomial(2, frequency, (n, m)).astype(np.int8)
    return Genotypes(tuple(f"{name}{i}" for i in range(n)), held, dosage, np.full(n, 2, dtype=np.int8))


def embedded(n: int, rng: np.random.Generator, windows: int = 24) -> EmbeddedLines:
    """Lines with three sequences in each of a contig's windows."""
    places = tuple(Interval("1", 512 * w, 512 * (w + 1)) for w in range(windows))
    table = HaplotypeTable(
        tuple(f"line{i}" for i in range(n)),
        places,
        rng.integers(0, 4, (3 * windows, 512)).astype(np.uint8),
        np.arange(0, 3 * windows + 1, 3),
        rng.integers(0, 3, (n, windows, 2)).astype(np.uint8),
        {},
    )
    return EmbeddedLines(table, rng.normal(size=(3 * windows, 6)).astype(np.float32))


def other_vectors(lines: EmbeddedLines, rng: np.random.Generator) -> EmbeddedLines:
    return EmbeddedLines(lines.table, rng.normal(size=lines.vectors.shape).astype(np.float32))


def loci_of(lines: EmbeddedLines, count: int | None = None) -> LocusMap:
    places = lines.table.windows[:count]
    return LocusMap(names=tuple(map(str, places)), source=places, target=places, kind="windows")


def test_a_head_is_ridge_regression_on_its_features() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=(60, 8)), rng.normal(size=(20, 8)) + 3.0
    y = ours @ rng.normal(size=8) + rng.normal(size=60)
    head = SourceHead.of("features", ours, theirs)
    scorer = head.scorer(y, np.eye(60) + 0.01)
    centred = ours - ours.mean(axis=0)
    unit = (centred**2).sum() / 59
    covariance = sum(v * k for v, k in zip(scorer.components.kernels, scorer.kernels, strict=True))
    covariance = covariance + scorer.components.residual * np.eye(60)
    v = np.linalg.inv(covariance)
    mean = (v @ y).sum() / v.sum()
    effects = scorer.components.kernels[0] * centred.T @ v @ (y - mean) / unit
    expected = (theirs - theirs.mean(axis=0)) @ effects
    np.testing.assert_allclose(scorer.score(y), expected, rtol=1e-6, atol=1e-9)


def test_shared_markers_give_the_sources_own_model() -> None:
    rng = np.random.default_rng(2)
    frequency = rng.uniform(0.2, 0.8, 120)
    source, target = panel(80, rng, frequency), panel(30, rng, frequency, "other")
    y = source.dosage[:, :10].sum(axis=1) + rng.normal(size=80)
    carried = carry_heads(TransferSource(genotypes=source, y=y), target, np.arange(30))
    fitted = TraitModel("gblup").fit(source, y)
    expected = fitted.predict(target).prediction
    score = carried.scores[MARKERS]
    assert np.corrcoef(score, expected)[0, 1] == pytest.approx(1.0, abs=1e-9)
    assert np.ptp(score - expected) < 1e-6 * np.ptp(expected)


def test_markers_that_count_the_other_allele_are_turned() -> None:
    rng = np.random.default_rng(3)
    frequency = rng.uniform(0.2, 0.8, 60)
    source, target = panel(60, rng, frequency), panel(25, rng, frequency, "other")
    turned = Genotypes(
        target.accessions,
        Markers(
            target.markers.identifier,
            target.markers.contig,
            target.markers.position,
            target.markers.other,
            target.markers.counted,
        ),
        (2 - target.dosage).astype(np.int8),
        target.ploidy,
    )
    y = source.dosage[:, :10].sum(axis=1) + rng.normal(size=60)
    made = [
        carry_heads(TransferSource(genotypes=source, y=y), each, np.arange(25)) for each in (target, turned)
    ]
    np.testing.assert_allclose(made[0].scores[MARKERS], made[1].scores[MARKERS], atol=1e-9)


def test_nothing_is_carried_where_nothing_is_shared() -> None:
    rng = np.random.default_rng(4)
    source = panel(40, rng, np.full(30, 0.5))
    target = Genotypes.from_matrix(["x", "y", "z"], rng.integers(0, 3, (3, 9)).astype(np.int8))
    y = rng.normal(size=40)
    carried = carry_heads(TransferSource(genotypes=source, y=y), target, np.arange(3))
    assert carried.heads == ()


def test_random_traits_have_the_sources_covariance_and_scores_are_linear() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(30, 4))
    head = SourceHead.of("features", features, features[:5])
    y = features @ np.ones(4) + rng.normal(size=30)
    scorer = head.scorer(y, np.eye(30) + 0.01)
    traits = random_traits(scorer.kernels, scorer.components, 4000, rng)
    covariance = sum(v * k for v, k in zip(scorer.components.kernels, scorer.kernels, strict=True))
    covariance = covariance + scorer.components.residual * np.eye(30)
    assert np.abs(np.cov(traits.T) - covariance).max() < 0.2 * np.diagonal(covariance).max()
    scores = random_scores(scorer.kernels, scorer.components, head.cross, np.vstack([y, traits[:2]]))
    np.testing.assert_allclose(scores[0], scorer.score(y), atol=1e-9)


def test_the_controls_of_every_head_are_there() -> None:
    rng = np.random.default_rng(6)
    frequency = rng.uniform(0.2, 0.8, 80)
    source, target = panel(50, rng, frequency), panel(40, rng, frequency, "other")
    y = source.dosage[:, :10].sum(axis=1) + rng.normal(size=50)
    options = HeadOptions(random_traits=7, random_kernels=2)
    embeddings = (embedded(50, rng), embedded(40, rng))
    carried = carry_heads(
        TransferSource(genotypes=source, y=y),
        target,
        np.arange(5, 40),
        loci=loci_of(embeddings[0]),
        embeddings=embeddings,
        random_embeddings=[tuple(other_vectors(each, rng) for each in embeddings)],
        options=options,
    )
    by = {head.name: head for head in carried.heads}
    assert by[MARKERS].random_scores is not None
    assert by[MARKERS].random_scores.shape == (7, 35)
    for name in ("pooled embeddings", "embeddings by locus"):
        head = by[name]
        assert carried.scores[name].shape == (40,)
        assert head.random_scores is not None
        assert head.random_scores.shape == (7, 35)
        assert head.random_weight_scores is not None
        assert head.random_weight_scores.shape == (1, 35)
        assert head.own is not None
        assert head.own.shape == (35, 35)
        assert head.own_random is not None
        assert not np.allclose(head.own, head.own_random)
    assert by["pooled embeddings"].shuffled_scores is None
    shuffled = by["embeddings by locus"].shuffled_scores
    assert shuffled is not None
    assert shuffled.shape == (20, 35)
    assert "24 windows have embeddings that differ between lines on both sides." in carried.notes


def test_embeddings_by_locus_need_loci() -> None:
    rng = np.random.default_rng(7)
    frequency = rng.uniform(0.2, 0.8, 80)
    source, target = panel(50, rng, frequency), panel(40, rng, frequency, "other")
    y = source.dosage[:, :10].sum(axis=1) + rng.normal(size=50)
    embeddings = (embedded(50, rng), embedded(40, rng))
    given = {"embeddings": embeddings, "options": HeadOptions(random_traits=3, random_kernels=1)}
    few = loci_of(embeddings[0], 12)
    for loci, expected in ((None, False), (few, False), (loci_of(embeddings[0]), True)):
        carried = carry_heads(
            TransferSource(genotypes=source, y=y), target, np.arange(40), loci=loci, **given
        )
        assert ("embeddings by locus" in carried.scores) == expected
        assert "pooled embeddings" in carried.scores
