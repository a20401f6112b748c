"""Trait values adjusted for covariates of the accessions: numbers, blocks, families as fixed effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.panel.accession_means import AccessionMeans
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.phenotyped import MINIMUM_LABELLED, match_phenotyped
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml

Matrix = NDArray[np.float64]

Covariates = Mapping[str, Mapping[str, float | str]]

#: Part of a column's length that others must leave for it to count as one of its own.
_OWN: Final = 1e-6


def adjust_for_covariates(
    genotypes: Genotypes, means: AccessionMeans, covariates: Covariates, trait: str
) -> AccessionMeans:
    """Subtract the effects of covariates from trait values.

    The effects are generalised least squares estimates beside the relationship, with variances by restricted
    maximum likelihood: those of GBLUP with fixed effects. Values are at the mean of the phenotyped lines'
    covariates, and so are predictions from them, of lines without covariates too. A phenotyped line without
    a covariate counts as average in it.

    Parameters
    ----------
    genotypes, means
        Lines, their values with weights, and the trait's name.
    covariates
        By name of the covariate, values by accession: numbers, or levels as strings.
    trait
        Lines, their values with weights, and the trait's name.

    Returns
    -------
    AccessionMeans
        Adjusted means, with the same weights.

    Raises
    ------
    BudwoodError
        If no phenotyped line has a covariate, or their effects leave fewer than 10 lines' worth of values.
    """
    rows, columns = genotypes.order()
    genotypes = genotypes.take(rows).take_markers(columns)
    lines = match_phenotyped(genotypes, means.values, trait, weights=means.weights)
    names = [genotypes.accessions[row] for row in lines.rows]
    blocks, notes = zip(
        *(_columns(name, covariates[name], names) for name in sorted(covariates)), strict=True
    )
    design, dropped = _independent(np.hstack(blocks))
    if len(names) - design.shape[1] < MINIMUM_LABELLED:
        raise BudwoodError(
            f"covariates with {design.shape[1]} effects are too many for {len(names)} phenotyped lines",
            mend="leave out covariates, or join levels",
        )
    kernel = PanelKernels(genotypes).cross(RELATIONSHIP, lines.rows, lines.rows)
    fixed = np.column_stack([np.ones(len(names)), design])
    components = reml(lines.y, [kernel], fixed=fixed, weights=lines.weights)
    effects = blup(lines.y, [kernel], components, fixed=fixed, weights=lines.weights).fixed_effects[1:]
    part = design @ effects
    adjusted = dict(zip(names, (lines.y - part).tolist(), strict=True))
    share = float(np.var(part) / np.var(lines.y))
    note = (
        f"Values are adjusted for covariates, {', '.join(notes)}, which account for {share:.0%} of their "
        "variance: fixed effects by generalised least squares beside the relationship, estimated once from "
        "all phenotyped lines. Predictions are for the mean of the phenotyped lines' covariates."
    )
    more = (f"{dropped} effects of covariates that others determine were left out.",) if dropped else ()
    return replace(means, values={**means.values, **adjusted}, notes=(*means.notes, note, *more))


def _columns(name: str, values: Mapping[str, float | str], lines: list[str]) -> tuple[Matrix, str]:
    """(n, k) centred columns of a covariate, 0 where a line has no value, and what it is."""
    known = np.array([line in values for line in lines])
    if not known.any():
        raise BudwoodError(
            f"no phenotyped line has a value of covariate {name!r}",
            mend="write accession ids the same way in both files",
        )
    given = [values[line] for line in lines if line in values]
    if all(isinstance(value, float | int) for value in given):
        shown, columns = name, np.array(given, dtype=np.float64)[:, None]
    else:
        words = np.array([str(value) for value in given])
        levels = np.unique(words)
        shown = f"{name} ({len(levels)} levels)"
        columns = (words[:, None] == levels[1:]).astype(np.float64)
    if not np.isfinite(columns).all():
        raise BudwoodError(
            f"a value of covariate {name!r} is not a number", mend="correct it or leave it empty"
        )
    found = np.zeros((len(lines), columns.shape[1]))
    spread = np.std(columns, axis=0)
    found[known] = (columns - columns.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    absent = len(lines) - int(known.sum())
    return found, f"{shown}, missing for {absent} lines" if absent else shown


def _independent(columns: Matrix) -> tuple[Matrix, int]:
    """Columns that the ones before them do not determine, and how many were left out."""
    basis = np.empty((len(columns), 0))
    kept = []
    for index, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > _OWN * max(float(np.linalg.norm(column)), _OWN):
            kept.append(index)
            basis = np.column_stack([basis, rest / size])
    return columns[:, kept], columns.shape[1] - len(kept)
