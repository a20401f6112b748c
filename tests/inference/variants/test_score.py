"""Scores of alleles: alone or together, in any order, and as the encoder gives them by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import MASK, decode, encode
from budwood.inference.variants.allele_table import allele_table
from budwood.inference.variants.score import VariantScorer
from budwood.inference.variants.score_field import FIELDS, GROUPS, fields_of
from budwood.model.checkpoint import Checkpoint


class Uniform:
    """A k-mer model for which the next letter after the left neighbour is twice as probable as the others."""

    def probabilities(
        self, codes: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        found = np.full((len(rows), 4), 0.2)
        found[np.arange(len(rows)), (codes[rows, columns - 1] + 1) % 4] = 0.4
        return found


def sites_of(genome: InMemoryAssembly) -> list[Site]:
    """Changes of every kind on every contig, at their ends too, in no order."""
    random = np.random.default_rng(1)
    found = []
    for contig, length in genome.contigs.items():
        letters = decode(genome.sequence(Interval(contig, 0, length)))
        for start in [0, 1, length - 1, length - 4, *random.integers(0, length - 4, 3).tolist()]:
            ref = letters[start]
            found.append(Site(contig, start, "m", (ref, *(b for b in "ACGT" if b != ref), "*")))
            piece = letters[start : start + 4]
            found.append(Site(contig, start, "m", (piece, piece[0], piece + "GG", "TTTT")))
    return [found[i] for i in random.permutation(len(found))]


@pytest.fixture(scope="module")
def scorer(genome: InMemoryAssembly, encoder: Checkpoint) -> VariantScorer:
    return VariantScorer(genome, encoder, fields_of(GROUPS), neighbours=Uniform())


def test_every_scored_allele_has_its_scores(genome: InMemoryAssembly, scorer: VariantScorer) -> None:
    table = allele_table(sites_of(genome), genome)
    found = scorer.score(table)
    assert set(found) == {field.name for field in FIELDS}
    for name, values in found.items():
        due = table.substitution if name in ("kmer", "log_likelihood_ratio") else table.scored
        np.testing.assert_array_equal(np.isfinite(values), due, err_msg=name)
    for name in ("expected_consequence", "stop_gained", "frameshift", "splice_gained"):
        values = found[name][table.scored]
        assert ((values >= 0) & (values <= 1)).all()
    assert (found["divergence"][table.scored] > 0).all()


def test_neither_order_nor_company_matters(genome: InMemoryAssembly, scorer: VariantScorer) -> None:
    sites = sites_of(genome)
    together = scorer.score(allele_table(sites, genome))
    backwards = scorer.score(allele_table(sites[::-1], genome))
    record = allele_table(sites, genome).record
    order = np.concatenate([np.flatnonzero(record == r) for r in range(len(sites))[::-1]])
    for name, values in together.items():
        np.testing.assert_allclose(backwards[name], values[order], atol=1e-4, rtol=1e-3, err_msg=name)
    alone = VariantScorer(
        genome, scorer.reference.checkpoint, fields_of(GROUPS), neighbours=Uniform(), batch_size=2
    )
    for number in (3, 20):
        one = alone.score(allele_table([sites[number]], genome))
        for name, values in one.items():
            np.testing.assert_allclose(values, together[name][record == number], atol=1e-4, rtol=1e-3)


def test_scores_by_hand(genome: InMemoryAssembly, encoder: Checkpoint, scorer: VariantScorer) -> None:
    whole = genome.sequence(Interval("b", 0, 300))
    letters = decode(whole)
    new = "A" if letters[150] != "A" else "C"
    sites = [
        Site("b", 150, "m", (letters[150], new)),
        Site("b", 150, "m", (letters[150:153], letters[150])),
        Site("b", 150, "m", (letters[150], letters[150] + "ACGT")),
    ]
    found = scorer.score(allele_table(sites, genome))
    old = read(encoder, letters)
    for row, (changed, start, end, moved) in enumerate(
        [
            (letters[:150] + new + letters[151:], 150, 151, 0),
            (letters[:151] + letters[153:], 151, 153, -2),
            (letters[:151] + "ACGT" + letters[151:], 151, 151, 4),
        ]
    ):
        now = read(encoder, changed)
        left, right = np.arange(start - 16, start), np.arange(end, end + 16)
        was = np.concatenate([left, np.arange(start, end) if moved == 0 else [], right]).astype(int)
        becomes = np.where(was >= start if moved == 0 else was >= end, was + moved, was)
        p, q = old[0][was], now[0][becomes]
        assert found["divergence"][row] == pytest.approx((p * np.log(p / q)).sum(), rel=1e-3, abs=1e-6)
        shift = np.linalg.norm((now[1][becomes] - old[1][was]).mean(0))
        assert found["shift"][row] == pytest.approx(shift, rel=1e-3)
    masked = whole.copy()
    masked[150] = MASK
    with torch.inference_mode():
        logits = (
            encoder.encoder(torch.from_numpy(masked.astype(np.int64))[None]).bases[0, 150].log_softmax(-1)
        )
    due = float(logits[encode(new)[0]] - logits[whole[150]])
    assert found["log_likelihood_ratio"][0] == pytest.approx(due, abs=1e-4)
    follower = (whole[149] + 1) % 4
    ratio = np.log((0.4 if encode(new)[0] == follower else 0.2) / (0.4 if whole[150] == follower else 0.2))
    assert found["kmer"][0] == pytest.approx(ratio)


def read(encoder: Checkpoint, letters: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Region probabilities and vectors of a sequence."""
    with torch.inference_mode():
        output = encoder.encoder(torch.from_numpy(encode(letters).astype(np.int64))[None])
    return output.regions[0].double().softmax(-1).numpy(), output.last_hidden_state[0].double().numpy()


def test_one_reading_serves_all_alleles_of_a_window(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    scorer = VariantScorer(genome, encoder, fields_of(["consequence"]))
    letters = decode(genome.sequence(Interval("a", 0, 900)))
    sites = [Site("a", p, "m", (b, *(o for o in "ACGT" if o != b))) for p, b in enumerate(letters)]
    table = allele_table(sites, genome)
    read: list[int] = []
    found = scorer.score(table, read.append)
    assert len(table) == 2700
    assert sum(read) == scorer.readings(table).reference == 1
    assert np.isfinite(found["expected_consequence"]).all()


def test_the_number_of_readings_is_known_before(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    scorer = VariantScorer(genome, encoder, fields_of(GROUPS))
    table = allele_table(sites_of(genome), genome)
    read: list[int] = []
    scorer.score(table, read.append)
    needed = scorer.readings(table)
    assert (
        needed.reference + needed.alternative >= sum(read) - 2
    )  # a replacement may reach into a next window
    assert needed.reference + needed.alternative <= sum(read) + 2
