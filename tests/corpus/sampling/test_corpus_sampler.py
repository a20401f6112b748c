"""Drawing from a corpus: pure, balanced, split, and turned as it should be."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.corpus.sampling.corpus_sampler import CorpusSampler
from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import SamplerConfig
from budwood.corpus.sampling.store import open_corpus
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import CODING, BaseClass
from budwood.genomics.sequence import decode, encode, reverse_complement

CONFIG = SamplerConfig(window=128, flank=50)


@pytest.fixture(scope="module")
def corpus(built):
    return open_corpus(built)


def test_a_batch_depends_on_seed_and_number_alone(corpus):
    first, again = (CorpusSampler(corpus, CONFIG, seed=1) for _ in range(2))
    first.batch(0, 8)
    for one, other in zip(vars(first.batch(3, 8)).values(), vars(again.batch(3, 8)).values(), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(first.batch(3, 8).codes, first.batch(4, 8).codes)


def test_species_are_drawn_by_weight(corpus):
    drawn = CorpusSampler(corpus, CONFIG, seed=2).batch(0, 2000).species
    share = np.bincount(drawn, minlength=len(corpus.species)) / 2000
    assert share == pytest.approx([each.weight for each in corpus.species], abs=0.04)
    only = CorpusSampler(corpus, CONFIG, seed=2, weights={"Beta una": 3.0}).batch(0, 50).species
    assert set(only) == {1}


def test_a_collection_has_one_weight_for_all_its_species(corpus):
    weights = {"Beta una": 1.0, "plastids": 3.0}
    drawn = CorpusSampler(corpus, CONFIG, seed=2, weights=weights).batch(0, 1000).species
    sources = np.array([each.source for each in corpus.species])[drawn]
    assert (sources == "plastids").mean() == pytest.approx(0.75, abs=0.05)


def test_training_never_sees_a_validation_window(corpus):
    texts = {kept: set() for kept in (False, True)}
    for number, kept in enumerate(corpus.windows["validation"]):
        row = corpus.row(number).codes
        texts[bool(kept)].add(decode(row) + "|" + decode(reverse_complement(row)))
    for validation in (False, True):
        batch = CorpusSampler(corpus, CONFIG, seed=3, validation=validation).batch(0, 60)
        for codes in batch.codes:
            letters = decode(codes)
            assert any(letters in text for text in texts[validation])
            assert not any(letters in text for text in texts[not validation])


def test_validation_by_species(corpus):
    sampler = CorpusSampler(corpus, CONFIG, seed=3, validation=True, species="Alpha una")
    assert set(sampler.batch(0, 20).species) == {0}


def test_genes_are_drawn_by_their_share(corpus):
    def coding(share: float) -> float:
        config = SamplerConfig(window=128, gene_share=share)
        batch = CorpusSampler(corpus, config, seed=4, species="Alpha una").batch(0, 200)
        return float(np.isin(batch.region, CODING).mean())

    assert coding(1.0) > 0.3
    assert coding(0.0) == 0.0


def test_the_anchor_is_the_start_codon_on_either_strand(corpus):
    config = SamplerConfig(window=128, gene_share=1.0, flank=50)
    batch = CorpusSampler(corpus, config, seed=5, species="Alpha una").batch(0, 400)
    seen = set()
    for row in range(400):
        anchor, direction = int(batch.anchor[row]), int(batch.direction[row])
        assert (anchor == NO_ANCHOR) == (direction == 0)
        if 3 <= anchor < 125:
            forward = direction == 1
            start = BaseClass.START_FORWARD if forward else BaseClass.START_REVERSE
            codon = slice(anchor, anchor + 3) if forward else slice(anchor - 2, anchor + 1)
            assert (batch.region[row, codon] == start).all()
            seen.add(direction)
    assert seen == {1, -1}


def test_a_fixed_number_of_windows_is_drawn_from(corpus):
    weights = {"Alpha una": 3.0, "Beta una": 1.0}
    sampler = CorpusSampler(corpus, SamplerConfig(window=corpus.length), seed=7, weights=weights, windows=8)
    batch = sampler.batch(0, 300)
    distinct = {
        min(decode(codes), decode(reverse_complement(codes))): n
        for codes, n in zip(batch.codes, batch.species, strict=True)
    }
    assert sorted(distinct.values()) == [0] * 6 + [1] * 2
    assert sorted(corpus.windows["species"][sampler.rows]) == [0] * 6 + [1] * 2
    assert (batch.species == 0).mean() == pytest.approx(0.75, abs=0.08)
    again = CorpusSampler(corpus, SamplerConfig(window=corpus.length), seed=7, weights=weights, windows=8)
    assert np.array_equal(again.batch(0, 300).codes, batch.codes)


def test_many_small_shares_make_the_number_of_windows(corpus):
    sampler = CorpusSampler(corpus, CONFIG, seed=7, windows=5)
    assert len({corpus.species[n].name for n in sampler.batch(0, 200).species}) <= 5


def test_short_windows_are_filled_up_and_drawn_nevertheless(corpus):
    config = SamplerConfig(window=320, max_unknown=0.0)
    batch = CorpusSampler(corpus, config, seed=6, species="Coffea arabica (plastids)").batch(0, 40)
    assert (batch.codes == encode("N")).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"species": "Nobody"}, "no species 'Nobody'"),
        ({"species": "Zea mays (plastids)"}, "no training window of Zea mays"),
        ({"weights": {"Nobody": 1.0}}, "no species 'Nobody'"),
        ({"windows": 10**6}, "windows of Alpha una are needed, the corpus has"),
        ({"config": SamplerConfig(window=2000)}, "windows of 2000 bases do not fit"),
    ],
)
def test_what_cannot_be_drawn_is_reported(corpus, options, message):
    with pytest.raises(BudwoodError, match=message):
        CorpusSampler(corpus, options.pop("config", CONFIG), seed=0, **options)
