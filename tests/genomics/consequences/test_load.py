import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.load import IMPACT_COLUMNS, LoadSum, impact_load
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from genomics.consequences.random_genes import random_gene


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000), ploidy=st.integers(1, 8))
def test_the_sum_is_dosage_by_ploidy_times_weight(seed: int, ploidy: int) -> None:
    rng = np.random.default_rng(seed)
    alleles = rng.integers(0, 3, size=(5, 4, ploidy)).astype(np.int8)
    weights = [rng.normal(size=(2, 3)) for _ in range(5)]
    total = LoadSum(tuple("abcd"), ("x", "y", "z"))
    total.add(alleles[:2], weights[:2])
    total.add(alleles[2:], weights[2:])
    found = total.result()
    for row in range(4):
        carried = [(record, allele) for record in range(5) for allele in alleles[record, row] if allele > 0]
        expected = sum(weights[record][allele - 1] for record, allele in carried)
        got = [found.columns[name][row] for name in "xyz"]
        assert got == pytest.approx(np.broadcast_to(expected, 3) / ploidy)


def test_a_missing_call_counts_as_the_mean_of_the_others() -> None:
    total = LoadSum(("a", "b", "c"), ("x",))
    total.add(np.array([[[1, 1], [0, 1], [MISSING, MISSING]]], dtype=np.int8), [np.array([[1.0]])])
    total.add(np.full((1, 3, 2), MISSING, dtype=np.int8), [np.array([[1.0]])])
    found = total.result()
    assert found.columns["x"].tolist() == [1.0, 0.5, 0.75]
    assert found.called_share.tolist() == [0.5, 0.5, 0.0]
    assert found.notes == ("1 records without any call add nothing",)


def test_doubling_every_chromosome_changes_no_load() -> None:
    genome, annotation = random_gene(3)
    sites = tuple(
        Site("1", start, f"v{start}", (genome[start], "ACGT".replace(genome[start], "")[0]))
        for start in range(len(genome))
    )
    rng = np.random.default_rng(1)
    diploid = rng.integers(0, 2, size=(len(sites), 6, 2)).astype(np.int8)
    caller = ConsequenceCaller(annotation, InMemoryAssembly({"1": genome}))
    tables = []
    for alleles in (diploid, np.concatenate([diploid, diploid], axis=2)):
        block = CallBlock(sites, alleles, np.zeros(alleles.shape[:2], dtype=bool))
        tables.append(impact_load(caller, tuple("abcdef"), [block]).columns)
    for name in IMPACT_COLUMNS:
        assert tables[0][name] == pytest.approx(tables[1][name])
    assert sum(tables[0][name].sum() for name in IMPACT_COLUMNS) == pytest.approx(diploid.sum() / 2)
    assert all(tables[0][name].any() for name in IMPACT_COLUMNS)


def test_alleles_without_a_consequence_count_nowhere_and_are_noted() -> None:
    genome, annotation = random_gene(3)
    site = Site("1", 5, "v", (genome[5], "<DEL>", "*"))
    alleles = np.array([[[1, 2], [2, ABSENT]]], dtype=np.int8)
    block = CallBlock((site,), alleles, np.zeros((1, 2), dtype=bool))
    caller = ConsequenceCaller(annotation, InMemoryAssembly({"1": genome}))
    found = impact_load(caller, ("a", "b"), [block])
    assert not any(column.any() for column in found.columns.values())
    assert found.notes == ("2 ALT alleles without a consequence count nowhere",)
