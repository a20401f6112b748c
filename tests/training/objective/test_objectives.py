"""Hidden bases have the share and length asked for, and every objective counts what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.config import CENTRE_BASES
from budwood.corpus.sampling.genome import TRACKED
from budwood.genomics.annotation.base_class import UNLABELLED, BaseClass
from budwood.genomics.sequence import MASK, N
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.training.objective.locus_offset import NO_OFFSET
from budwood.training.objective.objectives import (
    OBJECTIVES,
    ObjectiveConfig,
    PretrainingObjective,
    hide_spans,
)
from budwood.training.objective.training_batch import NO_ORDER, TrainingBatch


def test_spans_hide_the_share_asked_for_and_never_n():
    codes = np.zeros((400, 512), dtype=np.uint8)
    codes[:, ::7] = N
    hidden = hide_spans(codes, ObjectiveConfig(max_masked=0.3, mean_span=6), np.random.default_rng(0))
    assert not hidden[:, ::7].any()
    # Spans overlap: with start rate s / mean, a base stays visible with probability about exp(-s).
    shares = np.linspace(0, 0.3, 1000)
    assert hidden[codes != N].mean() == pytest.approx(np.mean(1 - np.exp(-shares)), abs=0.01)


def test_spans_are_contiguous():
    codes = np.zeros((200, 512), dtype=np.uint8)
    hidden = hide_spans(codes, ObjectiveConfig(max_masked=0.05, mean_span=6), np.random.default_rng(1))
    starts = (hidden[:, 1:] & ~hidden[:, :-1]).sum()
    assert hidden.sum() / starts == pytest.approx(6, rel=0.15)


def test_single_bases_are_hidden_where_asked():
    codes = np.zeros((300, 512), dtype=np.uint8)
    config = ObjectiveConfig(max_masked=0.02, mean_span=8, single_share=1.0)
    hidden = hide_spans(codes, config, np.random.default_rng(2))
    starts = (hidden[:, 1:] & ~hidden[:, :-1]).sum()
    assert hidden.sum() / starts == pytest.approx(1, rel=0.05)


SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


def objective(tracks: int = 0, **config) -> PretrainingObjective:
    torch.manual_seed(0)
    return PretrainingObjective(BudwoodEncoder(SHAPE), ObjectiveConfig(repeat_weight=0.0, **config), tracks)


def batch(rows: int = 4, length: int = 32, **others) -> TrainingBatch:
    """Random bases, a third of them hidden, nothing asked of them."""
    random = np.random.default_rng(5)
    codes = torch.from_numpy(random.integers(0, 4, (rows, length)))
    hidden = torch.from_numpy(random.random((rows, length)) < 0.3)
    nothing = torch.full_like(codes, UNLABELLED)
    whole = TrainingBatch(
        codes,
        hidden,
        torch.zeros_like(hidden),
        nothing,
        nothing,
        torch.zeros(rows, length, 4),
        torch.full((rows,), NO_ORDER),
        torch.zeros_like(codes),
        torch.zeros(rows),
    )
    return whole._replace(**others)


def losses(module: PretrainingObjective, asked: TrainingBatch) -> dict[str, float]:
    return {name: value.item() for name, value in module(asked, module.totals(asked)).items()}


def test_bases_nobody_annotated_do_not_count():
    asked = batch()
    assert losses(objective(), asked)["region"] == 0.0
    one = asked.region.clone()
    one[0, 0] = BaseClass.INTRON
    assert losses(objective(), batch(region=one))["region"] > 0.0


def test_marks_of_gene_structure_weigh_what_is_asked():
    region = torch.full((4, 32), int(BaseClass.INTRON))
    region[:, 10] = int(BaseClass.DONOR_FORWARD)
    marked = batch(region=region)
    alone = batch(region=torch.where(region == BaseClass.INTRON, UNLABELLED, region))
    plain, heavy = objective(), objective(mark_weight=3.0)
    sums = {name: losses(plain, part)["region"] for name, part in (("all", marked), ("mark", alone))}
    # 31 bases of weight 1 and one of weight 3 instead of 1, in every row.
    expected = (32 * sums["all"] + 2 * sums["mark"]) / 34
    assert losses(heavy, marked)["region"] == pytest.approx(expected, rel=1e-5)


def test_smoothed_labels_are_a_mixture_of_the_label_and_all_classes():
    region = torch.full((4, 32), int(BaseClass.INTRON))
    module = objective(span_weight=0.0)
    every = [losses(module, batch(region=torch.full_like(region, int(each))))["region"] for each in BaseClass]
    found = losses(module, batch(region=region, smoothing=torch.full((4,), 0.2)))["region"]
    expected = 0.8 * every[int(BaseClass.INTRON)] + 0.2 * sum(every) / len(every)
    assert found == pytest.approx(expected, rel=1e-5)


def test_tracks_are_learned_where_they_are_known():
    module = objective(tracks=3, track_weight=1.0, span_weight=0.0)
    known = 0b111 << TRACKED
    middle = CENTRE_BASES // 2
    nothing = losses(module, batch())
    assert nothing["track"] == 0.0
    tracks = torch.zeros(4, 32, dtype=torch.int64)
    tracks[0, middle] = known | 0b101
    tracks[1, middle + 1] = known  # read by no vector: only every eighth base has a loss
    one = batch(tracks=tracks)
    vectors = module.read(one.codes.masked_fill(one.hidden, MASK)).readout(module.track_head)
    logits = vectors[0, :CENTRE_BASES].mean(0).detach()
    expected = torch.stack([torch.sigmoid(logits[k] if k != 1 else -logits[k]).log() for k in range(3)])
    assert module.totals(one)[OBJECTIVES.index("track")] == 1.0
    assert losses(module, one)["track"] == pytest.approx(-expected.mean().item(), rel=1e-4)
    tracks[0, middle] = (0b110 << TRACKED) | 0b101  # the first is not known of this genome, so it has no loss
    assert losses(module, batch(tracks=tracks))["track"] == pytest.approx(
        -expected[1:].mean().item(), rel=1e-4
    )


def test_repeats_of_weight_zero_do_not_count():
    asked = batch()
    assert losses(objective(), batch(repeat=torch.ones_like(asked.hidden)))["span"] == 0.0


def test_what_is_hidden_is_not_seen():
    asked = batch()
    labels = asked.region.clone()
    labels[:, 1] = BaseClass.INTRON
    changed = torch.where(asked.hidden, 3 - asked.codes, asked.codes)
    here, there = (
        losses(objective(), batch(region=labels, codes=c))["region"] for c in (asked.codes, changed)
    )
    assert here == there


def test_an_objective_of_weight_zero_has_no_head_and_no_loss():
    module = objective()
    assert set(losses(module, batch())) == {"loss", "span", "region"}
    assert all(name.startswith("encoder.") for name in module.state_dict())


def test_places_in_a_locus_count_at_hidden_bases_alone():
    asked = batch()
    module = objective(locus_weight=2.0, span_weight=0.0)
    hidden_place = asked.hidden.nonzero()[0]
    shown_place = (~asked.hidden).nonzero()[0]
    offsets = asked.offset.clone()
    offsets[tuple(shown_place)] = 3
    assert losses(module, batch(offset=offsets))["locus"] == 0.0
    offsets[tuple(hidden_place)] = 3
    found = losses(module, batch(offset=offsets))
    assert found["locus"] > 0
    assert found["loss"] == pytest.approx(2 * found["locus"], rel=1e-5)


def test_the_column_loss_is_the_surprise_at_the_other_species_bases():
    share = torch.zeros(4, 32, 4)
    share[1, 5] = torch.tensor([0.5, 0.5, 0.0, 0.0])
    module = objective(column_weight=1.0, span_weight=0.0)
    with torch.no_grad():
        module.column_head.weight.zero_()
        module.column_head.bias.copy_(torch.tensor([0.2, 0.1, 0.3, 0.4]).log())
    found = losses(module, batch(column=share))["column"]
    assert found == pytest.approx(-(np.log(0.2) + np.log(0.1)) / 2, rel=1e-5)


def test_the_pooled_loss_is_the_surprise_of_the_two_middle_bases_of_a_mean_vector():
    region = torch.full((4, 32), UNLABELLED)
    region[1, 9], region[1, 10], region[2, 0] = BaseClass.INTRON, BaseClass.DONOR_FORWARD, BaseClass.INTRON
    asked = batch(region=region, hidden=torch.zeros(4, 32, dtype=torch.bool))
    module = objective(pooled_weight=1.0, span_weight=0.0, region_weight=0.0, mark_weight=5.0)
    regions = SHAPE.regions
    with torch.no_grad():
        vectors = module.read(asked.codes).features[1]
    expected = 0.0
    # A pair begins at 8, 9 or 10; its vector is the mean over three bases more on either side.
    for left in (8, 9, 10):
        pair = module.pooled_head(vectors[left - 3 : left + 5].mean(0)).detach()
        for place, logits in ((left, pair[:regions]), (left + 1, pair[regions:])):
            if region[1, place] != UNLABELLED:
                weight = 5.0 if place == 10 else 1.0
                expected -= weight * logits.log_softmax(-1)[region[1, place]].item()
    # The base at an end of a window is in the middle of no vector, and still counts among the asked.
    assert losses(module, asked)["pooled"] == pytest.approx(expected / (2 * 7), rel=1e-5)


def test_the_order_loss_is_the_surprise_at_which_half_comes_first():
    asked = batch(swapped=torch.tensor([NO_ORDER, 0, 1, NO_ORDER]))
    module = objective(order_weight=3.0, span_weight=0.0)
    with torch.no_grad():
        halves = [module.read(half).features.mean(1) for half in asked.codes.split(16, dim=1)]
    own = module.order_head(torch.cat([halves[0][1], halves[1][1]])).item()
    other = module.order_head(torch.cat([halves[1][2], halves[0][2]])).item()
    found = losses(module, asked)
    assert found["order"] == pytest.approx((np.log1p(np.exp(own)) + np.log1p(np.exp(-other))) / 2, rel=1e-5)
    assert found["loss"] == pytest.approx(3 * found["order"], rel=1e-5)
    assert losses(module, batch())["order"] == 0.0


def test_pieces_of_a_batch_add_up_to_the_whole():
    random = np.random.default_rng(1)
    asked = batch(
        region=torch.from_numpy(random.integers(0, 5, (4, 32))),
        offset=torch.from_numpy(random.choice([1, 2, NO_OFFSET], (4, 32))),
        column=torch.from_numpy(random.dirichlet(np.ones(4), (4, 32)).astype(np.float32)),
        swapped=torch.tensor([1, NO_ORDER, 0, 1]),
    )
    module = objective(locus_weight=1.0, column_weight=1.0, pooled_weight=1.0, order_weight=1.0)
    totals = module.totals(asked)
    whole = module(asked, totals)
    parts = [module(asked.part(first, 3), totals) for first in range(3)]
    for name, value in whole.items():
        assert value.item() == pytest.approx(sum(part[name].item() for part in parts), rel=1e-5)
