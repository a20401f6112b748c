"""Base classes read with the grammar of genes: exact, the same on both strands, and better where it holds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import CODING, COMPLEMENT_REGION, BaseClass
from budwood.probing.gene_grammar import (
    StructureConfig,
    _forward_backward,
    _Grammar,
    _grammar,
    decode_structure,
    move_shares,
)

EVEN = np.full(len(BaseClass), 1 / len(BaseClass))


def predictions(seed: int, length: int) -> np.ndarray:
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(len(BaseClass)), size=(2, length)))


def test_transitions_are_probabilities_and_their_shares_stay():
    grammar = _grammar(StructureConfig())
    assert np.allclose(grammar.transition.sum(1), 1)
    assert np.allclose(grammar.first @ grammar.transition, grammar.first)
    # An intron's share of a gene follows from the mean lengths: introns end every exon but the last.
    shares = np.bincount(grammar.classes, grammar.first, minlength=len(BaseClass))
    forward = [BaseClass[f"CODING_FORWARD_{k}"] for k in range(3)]
    assert np.allclose(shares[forward], shares[[COMPLEMENT_REGION[k] for k in forward]])
    assert shares[BaseClass.DONOR_FORWARD] == pytest.approx(shares[BaseClass.ACCEPTOR_FORWARD])
    assert shares[BaseClass.INTRON] == pytest.approx(300 * shares[BaseClass.DONOR_FORWARD], rel=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_posteriors_are_those_of_summing_over_all_paths(seed):
    random = np.random.default_rng(seed)
    transition = random.dirichlet(np.ones(3), size=3)
    grammar = _Grammar(np.arange(3), transition, random.dirichlet(np.ones(3)))
    emitted = random.uniform(0.1, 1, (1, 5, 3)).astype(np.float32)
    expected = np.zeros((5, 3))
    for path in itertools.product(range(3), repeat=5):
        chance = grammar.first[path[0]] * emitted[0, 0, path[0]]
        for place in range(1, 5):
            chance *= transition[path[place - 1], path[place]] * emitted[0, place, path[place]]
        expected[np.arange(5), path] += chance
    found = _forward_backward(emitted, grammar)[0]
    assert np.allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 90))
def test_the_other_strand_has_the_complement_classes(seed, length):
    there = predictions(seed, length)
    turned = there[:, ::-1][..., list(COMPLEMENT_REGION)]
    shares = np.exp(there).mean((0, 1))
    one = decode_structure(there, shares)
    other = decode_structure(turned, shares[list(COMPLEMENT_REGION)])
    assert np.allclose(one, other[:, ::-1][..., list(COMPLEMENT_REGION)], atol=1e-4)
    assert np.allclose(one.sum(-1), 1, atol=1e-5)


def test_a_sequence_does_not_depend_on_those_beside_it():
    together = np.concatenate([predictions(seed, 60) for seed in range(20)])
    found = decode_structure(together, EVEN)
    for row in (0, 7, 39):
        assert np.allclose(found[row], decode_structure(together[row : row + 1], EVEN)[0], atol=1e-5)


def test_a_weakly_predicted_gene_is_found_by_its_grammar():
    """Codons in frame, an intron between its sites, and a start and a stop, each base hardly told apart."""
    coding = [BaseClass.CODING_FORWARD_0, BaseClass.CODING_FORWARD_1, BaseClass.CODING_FORWARD_2]
    gene = (
        [BaseClass.START_FORWARD] * 3
        + coding * 30
        + coding[:1]
        + [BaseClass.DONOR_FORWARD] * 2
        + [BaseClass.INTRON] * 90
        + [BaseClass.ACCEPTOR_FORWARD] * 2
        + coding[1:]
        + coding * 30
        + [BaseClass.STOP_FORWARD] * 3
    )
    truth = np.array([BaseClass.INTERGENIC] * 150 + gene + [BaseClass.INTERGENIC] * 150)
    random = np.random.default_rng(4)
    log_odds = random.normal(size=(1, len(truth), len(BaseClass)))
    log_odds[0, np.arange(len(truth)), truth] += 1.5
    log_chances = log_odds - np.log(np.exp(log_odds).sum(-1, keepdims=True))
    found = decode_structure(log_chances, EVEN, StructureConfig(trust=1.0))[0].argmax(-1)
    assert (log_chances[0].argmax(-1) == truth).mean() < 0.5
    is_coding = np.isin(truth, CODING)
    assert (np.isin(found, CODING) == is_coding).mean() > 0.95
    assert (found == truth).mean() > 0.9


@given(st.integers(0, 2**32 - 1))
def test_moving_nowhere_or_towards_itself_changes_nothing(seed):
    random = np.random.default_rng(seed)
    own, like = (random.dirichlet(np.ones(3), size=(4, 50)) for _ in range(2))
    assert np.allclose(move_shares(own, like, 0.0), own, atol=1e-3)
    assert np.allclose(move_shares(own, own, 1.0), own, atol=1e-3)
    assert np.allclose(move_shares(own, like).sum(-1), 1)


def test_moving_all_the_way_gives_the_other_mean_difference_of_logarithms():
    random = np.random.default_rng(1)
    own, like = (random.dirichlet(np.full(3, 9.0) * weight, size=(400,)) for weight in ([1, 2, 3], [3, 1, 1]))
    found = move_shares(own, like, 1.0)

    def odds(chances):
        return np.log(chances[:, 0] / chances[:, 1]).mean()

    assert odds(found) == pytest.approx(odds(like), abs=0.02)
    assert abs(odds(own) - odds(like)) > 1


@pytest.mark.parametrize("name", ["intergenic", "utr", "exon", "intron", "coding"])
def test_lengths_that_no_gene_has_are_refused(name):
    with pytest.raises(BudwoodError, match=name):
        StructureConfig(**{name: 1.0})


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(BudwoodError, match="trust"):
        StructureConfig(trust=0.0)
    with pytest.raises(BudwoodError, match="do not fit"):
        decode_structure(predictions(0, 5)[0], EVEN)
    with pytest.raises(BudwoodError, match="share of the way"):
        move_shares(np.ones((2, 3)) / 3, np.ones((2, 3)) / 3, 2.0)
