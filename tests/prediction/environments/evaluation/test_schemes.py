"""What is held out with what."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.prediction.environments.evaluation.schemes import ENVIRONMENT_SCHEMES, environment_folds, splits
from budwood.prediction.environments.trials import match_trials


@pytest.fixture(scope="module")
def trials(field):
    return match_trials(field.genotypes, field.phenotypes, "yield", field.environments)


def drawn(field, trials, scheme: str, **changes: int):
    return splits(trials, field.genotypes.accessions, scheme, **{"folds": 3, "seed": 0} | changes)


@pytest.mark.parametrize("scheme", ENVIRONMENT_SCHEMES)
def test_no_held_out_cell_is_learnt_from(scheme: str, field, trials) -> None:
    for split in drawn(field, trials, scheme):
        assert not np.intersect1d(split.training, split.held_out).size
        lines = np.isin(trials.line[split.held_out], trials.line[split.training])
        places = np.isin(trials.environment[split.held_out], trials.environment[split.training])
        new_lines, new_places = scheme in ("cv1", "cv00"), scheme in ("cv0", "cv00", "forward")
        assert lines.all() != new_lines
        assert lines.any() != new_lines
        assert places.all() != new_places
        assert places.any() != new_places


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "cv0", "cv00"])
def test_every_cell_is_held_out_once(scheme: str, field, trials) -> None:
    held = np.concatenate([split.held_out for split in drawn(field, trials, scheme)])
    assert sorted(held) == list(range(len(trials)))


def test_lines_are_held_out_whole(field, trials) -> None:
    for split in drawn(field, trials, "cv1"):
        assert len(split.held_out) == 7 * len(set(trials.line[split.held_out]))


def test_in_cv2_every_line_stays_in_most_environments(field, trials) -> None:
    for split in drawn(field, trials, "cv2"):
        kept = np.bincount(trials.line[split.training], minlength=60)
        assert kept.min() >= 4
        judged = np.bincount(trials.environment[split.held_out])
        assert judged.min() >= 8


def test_in_cv2_a_line_with_one_cell_is_never_held_out(field, trials) -> None:
    cells = np.flatnonzero((trials.line > 0) | (trials.environment == 2))
    for split in drawn(field, trials.take(cells), "cv2"):
        assert 0 not in trials.take(cells).line[split.held_out]


def test_environments_of_one_place_and_year_are_held_out_together() -> None:
    known = Environments(
        tuple(f"{place}{year}{water}" for place in "AB" for year in "12" for water in "WR"),
        tuple(year for _ in "AB" for year in "12" for _ in "WR"),
        tuple(place for place in "AB" for _ in "12" for _ in "WR"),
        tuple("WR" * 4),
        ("",) * 8,
    )
    folds = environment_folds(known, np.arange(8), 4, seed=1)
    assert (folds[::2] == folds[1::2]).all()
    assert sorted(np.bincount(folds)) == [2, 2, 2, 2]


def test_folds_do_not_depend_on_the_order_of_accessions(field, trials) -> None:
    order = np.random.default_rng(0).permutation(60)
    names = tuple(field.genotypes.accessions[row] for row in order)
    moved = replace(trials, line=np.argsort(order)[trials.line])
    for scheme in ("cv1", "cv2"):
        ours = drawn(field, trials, scheme)
        theirs = splits(moved, names, scheme, folds=3, seed=0)
        for one, other in zip(ours, theirs, strict=True):
            assert (one.held_out == other.held_out).all()


def test_forward_learns_from_earlier_years(field, trials) -> None:
    found = drawn(field, trials, "forward")
    years = np.array([int(year) for year in field.environments.year])[trials.environment]
    assert len(found) == 3
    for split in found:
        assert years[split.training].max() < years[split.held_out].min()
        assert len(set(years[split.held_out])) == 1


def test_what_cannot_be_held_out_is_told(field, trials) -> None:
    with pytest.raises(BudwoodError, match="there is no scheme 'cv3'"):
        drawn(field, trials, "cv3")
    with pytest.raises(BudwoodError, match="fewer lines"):
        drawn(field, trials, "cv1", folds=70)
    with pytest.raises(BudwoodError, match="cannot hold anything out"):
        drawn(field, trials, "cv2", folds=1)
    unknown = replace(trials, environments=Environments.named(field.environments.names))
    with pytest.raises(BudwoodError, match="the year of environment 'e0' is not given"):
        drawn(field, unknown, "forward")
    two = trials.take(np.flatnonzero(trials.environment < 2))
    with pytest.raises(BudwoodError, match="2 environments in 2 places and years are too few"):
        drawn(field, two, "cv0")
    with pytest.raises(BudwoodError, match="no year has two environments before it"):
        drawn(field, two, "forward")
