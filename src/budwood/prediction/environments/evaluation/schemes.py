"""Ways to hold cells of lines and environments out, each an everyday question of a breeder.

    cv1      new lines in known environments
    cv2      lines that were tried in some environments, in the others
    cv0      known lines in a new environment
    cv00     new lines in a new environment
    forward  known lines in a later year

Lines are divided as accessions, never as plots. Environments of one place and year share their weather, so
they are held out together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.prediction.environments.trials import Trials
from budwood.stats.evaluation.splitters import Folds, random_folds
from budwood.stats.relationship.relationship import Rows

ENVIRONMENT_SCHEMES: Final = ("cv1", "cv2", "cv0", "cv00", "forward")

#: Fewest environments to learn from when another one is held out.
_FEWEST: Final = 2


@dataclass(frozen=True)
class CellSplit:
    """Cells to learn from and cells held out.

    Attributes
    ----------
    training
        Cells to learn from.
    held_out
        Cells to predict.
    """

    training: Rows
    held_out: Rows


def splits(
    trials: Trials, names: tuple[str, ...], scheme: str, *, folds: int, seed: int
) -> tuple[CellSplit, ...]:
    """The splits of one repeat.

    Parameters
    ----------
    trials
        Means of accessions in environments.
    names
        Accessions by row of the genotypes: folds do not depend on their order.
    scheme
        Name of the scheme of cross-validation.
    folds
        Parts that lines, or groups of environments, are divided into; both for ``cv00``, which makes
        folds x folds splits. ``forward`` has one split for each year with two environments before it.
    seed
        Determines everything random.

    Returns
    -------
    tuple[CellSplit, ...]
        Each with cells to learn from and cells held out.

    Raises
    ------
    BudwoodError
        If the scheme is unknown or there are too few lines, environments or years.
    """
    if scheme == "forward":
        found = tuple(_forward(trials))
    elif scheme == "cv2":
        found = tuple(_of_cells(_cell_folds(trials, names, folds, seed), folds))
    elif scheme in ENVIRONMENT_SCHEMES:
        count = len(trials.environments)
        lines, places = np.zeros(len(names), dtype=np.int64), np.zeros(count, dtype=np.int64)
        if scheme in ("cv1", "cv00"):
            chosen = [names[row] for row in trials.lines]
            lines[trials.lines] = random_folds(chosen, folds, seed)
        if scheme in ("cv0", "cv00"):
            places = environment_folds(trials.environments, trials.seen, folds, seed)
        found = tuple(_crossed(trials, lines, places, scheme))
    else:
        raise BudwoodError(
            f"there is no scheme {scheme!r}", mend=f"choose one of: {', '.join(ENVIRONMENT_SCHEMES)}"
        )
    return found


def environment_folds(environments: Environments, seen: Rows, folds: int, seed: int) -> Folds:
    """(a,) fold of each environment with records, those of one place and year together; 0 for the others.

    There are no more folds than groups, and each leaves at least two environments to learn from.

    Parameters
    ----------
    environments
        Table of environments with their covariates; None where there is none.
    seen
        Rows of the environments with records.
    folds
        Number of folds.
    seed
        Determines everything random.

    Returns
    -------
    Folds
        Fold of each, from 0.

    Raises
    ------
    BudwoodError
        If there are too few environments.
    """
    groups: dict[str, list[int]] = {}
    for row in seen:
        groups.setdefault(environments.settings[row], []).append(int(row))
    drawn = np.random.default_rng(seed).permutation(len(groups)) % min(folds, len(groups))
    found = np.zeros(len(environments), dtype=np.int64)
    for (_, rows), fold in zip(sorted(groups.items()), drawn, strict=True):
        found[rows] = fold
    sizes = np.bincount(found[seen])
    if len(seen) - sizes.max() < _FEWEST:
        raise BudwoodError(
            f"{len(seen)} environments in {len(groups)} places and years are too few to hold one out",
            mend="give records of at least three places or years, or choose cv1 or cv2",
        )
    return found


def _crossed(trials: Trials, lines: Folds, places: Folds, scheme: str) -> Iterator[CellSplit]:
    """Lines, environments or both held out: cells of neither are learnt from."""
    line, place = lines[trials.line], places[trials.environment]
    for one in np.unique(line):
        for other in np.unique(place):
            held = (line == one) & (place == other)
            kept = np.ones(len(trials), dtype=np.bool_)
            if scheme in ("cv1", "cv00"):
                kept &= line != one
            if scheme in ("cv0", "cv00"):
                kept &= place != other
            yield CellSplit(np.flatnonzero(kept), np.flatnonzero(held))


def _cell_folds(trials: Trials, names: tuple[str, ...], folds: int, seed: int) -> Folds:
    """(N,) fold of each cell: a line's cells go round the folds, so that most of them stay to learn from.

    A line with one cell is never held out: nothing of it would be known.
    """
    if folds < 2:
        raise BudwoodError(f"{folds} folds cannot hold anything out", mend="use at least 2 folds")
    generator = np.random.default_rng(seed)
    found = np.full(len(trials), -1, dtype=np.int64)
    for row in sorted(trials.lines, key=lambda row: names[row]):
        cells = np.flatnonzero(trials.line == row)
        cells = cells[np.argsort(trials.environment[cells])]
        start = int(generator.integers(folds))
        if len(cells) > 1:
            found[generator.permutation(cells)] = (start + np.arange(len(cells))) % folds
    return found


def _of_cells(fold: Folds, folds: int) -> Iterator[CellSplit]:
    for one in range(folds):
        held = np.flatnonzero(fold == one)
        if len(held):
            yield CellSplit(np.flatnonzero(fold != one), held)


def _forward(trials: Trials) -> Iterator[CellSplit]:
    years = _years(trials)
    cell = years[trials.environment]
    ready = False
    for year in np.unique(cell)[1:]:
        before, held = np.flatnonzero(cell < year), np.flatnonzero(cell == year)
        if len(np.unique(trials.environment[before])) >= _FEWEST:
            ready = True
            yield CellSplit(before, held)
    if not ready:
        raise BudwoodError(
            "no year has two environments before it, so nothing can be predicted forward",
            mend="give records of more years, or choose another scheme",
        )


def _years(trials: Trials) -> NDArray[np.float64]:
    """Year of each environment as a number."""
    found = np.zeros(len(trials.environments))
    for row in trials.seen:
        text, name = trials.environments.year[row], trials.environments.names[row]
        try:
            found[row] = float(text)
        except ValueError as error:
            fault = f"is {text!r}, which is no number" if text else "is not given"
            raise BudwoodError(
                f"the year of environment {name!r} {fault}, and the scheme forward needs it",
                mend="fill column year of the environment table",
            ) from error
    return found
