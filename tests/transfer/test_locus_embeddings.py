"""Embeddings by locus: equal to features written out line by line and locus by locus."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.transfer.embedded_lines import EmbeddedLines
from budwood.transfer.locus_embeddings import LocusEmbeddings
from budwood.transfer.locus_map import LocusMap
from budwood.transfer.source_head import SourceHead

ABSENT = 255


def lines(
    codes: np.ndarray, vectors: np.ndarray, sizes: list[int], places: list[int], contig: str = "chr1"
) -> EmbeddedLines:
    """Lines that carry the sequences ``codes`` of windows that start at ``places``."""
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    table = HaplotypeTable(
        tuple(f"line{i}" for i in range(len(codes))),
        tuple(Interval(contig, 512 * place, 512 * (place + 1)) for place in places),
        np.zeros((len(vectors), 512), dtype=np.uint8),
        offsets,
        codes.astype(np.uint8),
        {},
    )
    return EmbeddedLines(table, vectors.astype(np.float32))


def drawn(n: int, rng: np.random.Generator, size: int = 5, ploidy: int = 2) -> EmbeddedLines:
    """Six windows, in the order of the genome, of two to five sequences."""
    sizes = [2, 3, 5, 2, 4, 3]
    codes = np.stack([rng.integers(0, h, (n, ploidy)) for h in sizes], axis=1)
    codes[0, 2, 1] = ABSENT
    codes[1, 4, :] = ABSENT
    return lines(codes, rng.normal(size=(sum(sizes), size)), sizes, [0, 1, 2, 10, 11, 30])


def locus_map(*pairs: tuple[tuple[int, int], tuple[int, int]]) -> LocusMap:
    return LocusMap(
        names=tuple(str(i) for i in range(len(pairs))),
        source=tuple(Interval("1", *one) for one, _ in pairs),
        target=tuple(Interval("Chr1", *other) for _, other in pairs),
        kind="orthologous genes",
    )


#: Windows 0 and 1; 2; 3 and 4; 5, of each side, in pairs that are not those of one genome.
LOCI = locus_map(
    ((300, 700), (15400, 15500)),
    ((1100, 1200), (5200, 5900)),
    ((5200, 5900), (300, 700)),
    ((15400, 15500), (1100, 1200)),
)
HERE, THERE = ([0, 1], [2], [3, 4], [5]), ([5], [3, 4], [0, 1], [2])


def written_out(side: EmbeddedLines, windows: list[int]) -> np.ndarray:
    """Mean vector of each line over the windows, centred, with loops alone."""
    table, rows = side.table, []
    for line in range(len(side)):
        each = []
        for w in windows:
            own = [int(code) for code in table.codes[line, w] if code != ABSENT]
            held = [side.vectors[table.offsets[w] + code] for code in (own or [0])]
            each.append(np.mean(np.asarray(held, dtype=np.float64), axis=0))
        rows.append(np.mean(each, axis=0))
    found = np.array(rows)
    return found - found.mean(axis=0)


@pytest.mark.parametrize("size", [3, 5, 40])
def test_kernels_are_those_of_features_written_out(size: int) -> None:
    rng = np.random.default_rng(size)
    source, target = drawn(9, rng, size), drawn(7, rng, size)
    pairs = LocusEmbeddings.of(source, target, LOCI, reach=0)
    ours = [written_out(source, windows) for windows in HERE]
    theirs = [written_out(target, windows) for windows in THERE]
    unit = [(x**2).sum() / 8 / 2 + (t**2).sum() / 6 / 2 for x, t in zip(ours, theirs, strict=True)]
    np.testing.assert_allclose(pairs.unit, unit, rtol=1e-9)
    x = np.concatenate([each / u**0.5 for each, u in zip(ours, unit, strict=True)], axis=1)
    t = np.concatenate([each / u**0.5 for each, u in zip(theirs, unit, strict=True)], axis=1)
    found = pairs.kernels()
    np.testing.assert_allclose(found.square, x @ x.T, atol=1e-9)
    np.testing.assert_allclose(found.cross, t @ x.T, atol=1e-9)
    np.testing.assert_allclose(found.own, t @ t.T, atol=1e-9)
    head = SourceHead.of_products("by locus", found.square, found.cross, len(pairs))
    expected = SourceHead.of("by locus", x, t)
    np.testing.assert_allclose(head.square, expected.square, atol=1e-9)
    np.testing.assert_allclose(head.cross, expected.cross, atol=1e-9)


def test_two_alleles_at_one_locus_by_hand() -> None:
    codes = np.array([[[0]], [[1]]])
    one = lines(codes, np.array([[5.0, 5.0], [5.0, 7.0]]), [2], [0])
    other = lines(codes, np.array([[1.0, 1.0], [1.0, 7.0]]), [2], [0])
    pairs = LocusEmbeddings.of(one, other, locus_map(((0, 9), (0, 9))), reach=0)
    # Lines stand at -1 and 1 in the source (variance 2), at -3 and 3 in the target (variance 18).
    assert pairs.unit.tolist() == pytest.approx([10.0])
    found = pairs.kernels()
    np.testing.assert_allclose(found.square, np.array([[0.1, -0.1], [-0.1, 0.1]]), atol=1e-12)
    np.testing.assert_allclose(found.cross, np.array([[0.3, -0.3], [-0.3, 0.3]]), atol=1e-12)
    np.testing.assert_allclose(found.own, np.array([[0.9, -0.9], [-0.9, 0.9]]), atol=1e-12)


def test_no_locus_dominates_whatever_its_vectors_and_directions_are() -> None:
    rng = np.random.default_rng(2)
    source, target = drawn(12, rng, 8), drawn(10, rng, 8)
    # The five sequences of window 2 are far apart, as if they differed in many bases.
    vectors = source.vectors.copy()
    vectors[5:10] *= 1000.0
    pairs = LocusEmbeddings.of(replace(source, vectors=vectors), target, LOCI, reach=0)
    for locus, unit in enumerate(pairs.unit):
        ours, theirs = pairs.features(locus)
        assert np.trace(ours @ ours.T) / 11 / unit <= 2.0 + 1e-9
        assert np.linalg.norm(theirs @ ours.T, "nuc") / (11 * 9) ** 0.5 / unit <= 1.0 + 1e-9
    plain = LocusEmbeddings.of(source, target, LOCI, reach=0)
    both = replace(source, vectors=3.0 * source.vectors), replace(target, vectors=3.0 * target.vectors)
    scaled = LocusEmbeddings.of(*both, LOCI, reach=0)
    np.testing.assert_allclose(scaled.kernels().cross, plain.kernels().cross, atol=1e-5)


def test_the_order_of_lines_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    source, target = drawn(9, rng), drawn(7, rng)
    ours, theirs = rng.permutation(9), rng.permutation(7)
    turned = LocusEmbeddings.of(
        replace(source, table=source.table.take(ours)),
        replace(target, table=target.table.take(theirs)),
        LOCI,
        reach=0,
    ).kernels()
    plain = LocusEmbeddings.of(source, target, LOCI, reach=0).kernels()
    np.testing.assert_allclose(turned.square, plain.square[np.ix_(ours, ours)], atol=1e-9)
    np.testing.assert_allclose(turned.cross, plain.cross[np.ix_(theirs, ours)], atol=1e-9)
    np.testing.assert_allclose(turned.own, plain.own[np.ix_(theirs, theirs)], atol=1e-9)


def test_shuffled_orthology_is_another_kernel_and_other_scores() -> None:
    rng = np.random.default_rng(4)
    source, target = drawn(9, rng), drawn(7, rng)
    pairs = LocusEmbeddings.of(source, target, LOCI, reach=0)
    plain = pairs.kernels().cross
    other = LocusEmbeddings.of(source, target, LOCI.shuffled(np.random.default_rng(0)), reach=0)
    assert np.abs(other.kernels().cross - plain).max() > 0.1 * np.abs(plain).max()
    weights = rng.normal(size=9)

    orders = iter(([0, 1, 2, 3], [1, 2, 3, 0]))
    known = SimpleNamespace(permutation=lambda count: np.array(next(orders)))
    kept, moved = pairs.shuffled_scores(weights, 2, known)  # type: ignore[arg-type]
    np.testing.assert_allclose(kept, plain @ weights, atol=1e-9)
    expected = sum(
        written_out(target, THERE[locus])
        @ written_out(source, HERE[(locus + 1) % 4]).T
        @ weights
        / (pairs.unit[locus] * pairs.unit[(locus + 1) % 4]) ** 0.5
        for locus in range(4)
    )
    np.testing.assert_allclose(moved, expected, atol=1e-9)


def test_loci_that_do_not_vary_or_have_no_window_are_left_out() -> None:
    rng = np.random.default_rng(5)
    source, target = drawn(9, rng), drawn(7, rng)
    codes = target.table.codes.copy()
    codes[:, 5] = 2  # every line carries the same sequence, which is not the reference
    alike = replace(target, table=replace(target.table, codes=codes))
    assert len(LocusEmbeddings.of(source, alike, LOCI, reach=0)) == 3
    empty = locus_map(((20000, 20100), (300, 700)), ((300, 700), (300, 700)))
    assert len(LocusEmbeddings.of(source, target, empty, reach=0)) == 1
    assert len(LocusEmbeddings.of(source, target, empty, reach=5000)) == 2
    none = LocusEmbeddings.of(source, target, locus_map(((20000, 20100), (0, 5))), reach=0)
    assert len(none) == 0
    assert none.shuffled_scores(np.ones(9), 2, rng).tolist() == [[0.0] * 7] * 2


def test_pooled_is_the_mean_over_all_windows() -> None:
    rng = np.random.default_rng(6)
    side = drawn(9, rng)
    pooled = side.pooled()
    np.testing.assert_allclose(pooled - pooled.mean(axis=0), written_out(side, list(range(6))), atol=1e-6)
