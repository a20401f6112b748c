"""Masks on one scale, by hand-made histograms."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.corpus.masking.kmer_spectrum import STEPS, ZERO
from budwood.corpus.masking.repeat_mask import MaskFacts, calibrate


def facts(asked="auto", track=False, share=0.0, free=(), given=()):
    histogram = np.zeros((2, 256), dtype=np.int64)
    for held, counts in enumerate((free, given)):
        for byte, count in counts:
            histogram[held, byte] = count
    return MaskFacts(asked, track, share, histogram)


#: 100 bases: 20 given as repeat, of which 15 have high excess, and 10 that the mask misses.
SOFT = facts(free=[(60, 70), (120, 10)], given=[(60, 5), (120, 15)])


def test_genomes_without_a_mask_take_the_threshold_that_the_given_ones_imply():
    # 20 % of SOFT from the top: above 60 there are 25 %, nearest to 20 %; so the threshold lies at 120.
    bare = facts(free=[(70, 50), (125, 30), (119, 20)])
    plans = calibrate([SOFT, bare], default_excess=9.0)
    assert [plan.source for plan in plans] == ["soft", "kmers"]
    assert plans[1].share == pytest.approx(0.3)
    assert 119 < plans[1].add_from <= 120


def test_the_median_of_several_given_masks_counts():
    low = facts(free=[(10, 50)], given=[(20, 50)])
    high = facts(free=[(10, 50)], given=[(200, 50)])
    bare = facts(free=[(100, 60), (130, 40)])
    assert calibrate([low, SOFT, high, bare], 9.0)[3].share == pytest.approx(0.4)


def test_without_any_given_mask_the_default_counts():
    bare = facts(free=[(ZERO + 2 * STEPS, 10), (ZERO + STEPS, 90)])
    (plan,) = calibrate([bare], default_excess=1.5)
    assert (plan.source, plan.share) == ("kmers", 0.1)


def test_a_mask_is_widened_and_narrowed_to_a_stated_share():
    wide = calibrate([facts(share=0.30, free=[(60, 70), (120, 10)], given=[(60, 5), (120, 15)])], 1.5)[0]
    narrow = calibrate([facts(share=0.15, free=[(60, 70), (120, 10)], given=[(60, 5), (120, 15)])], 1.5)[0]
    assert (wide.share, narrow.share) == (0.30, 0.15)
    given = np.array([True, True, False, False])
    excess = np.array([60, 120, 120, 60], dtype=np.uint8)
    assert wide.apply(given, excess).tolist() == [True, True, True, False]
    assert narrow.apply(given, excess).tolist() == [False, True, False, False]


def test_files_of_one_case_say_nothing():
    lower = facts(given=[(60, 70), (120, 30)])
    upper = facts(free=[(60, 70), (120, 30)])
    assert [plan.source for plan in calibrate([lower, upper], 1.5)] == ["kmers", "kmers"]
    assert calibrate([lower], 1.5)[0].share == pytest.approx(0.3)


def test_none_masks_nothing():
    (plan,) = calibrate([facts(asked="none", given=[(200, 100)])], 1.5)
    assert plan.share == 0
    assert not plan.apply(np.array([True]), np.array([255], dtype=np.uint8)).any()
