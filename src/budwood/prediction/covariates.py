"""Trait values adjusted for covariates of the accessions: numbers, blocks, families as fixed effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.kinship import Kinship
from budwood.panel.accession_means import AccessionMeans
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.phenotyped import MINIMUM_LABELLED, match_phenotyped
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.fixed_effects import independent_columns
from budwood.stats.mixed_model.reml import reml

Matrix = NDArray[np.float64]

Covariates = Mapping[str, Mapping[str, float | str]]


def adjust_for_covariates(
    genotypes: Genotypes,
    means: AccessionMeans,
    covariates: Covariates,
    trait: str,
    *,
    kinship: Kinship | None = None,
) -> AccessionMeans:
    """Subtract the effects of covariates from trait values.

    The effects are generalised least squares estimates beside the relationship, with variances by restricted
    maximum likelihood: those of GBLUP with fixed effects. Values are at the mean of the phenotyped lines'
    covariates, and so are predictions from them, of lines without covariates too. A phenotyped line without
    a covariate counts as average in it. The covariates go with the values: kernel models that learn from
    these have them as fixed effects too, and generalised least squares of the adjusted values gives the
    predictions and errors that the values as measured would give.

    Parameters
    ----------
    genotypes, means
        Lines, their values with weights, and the trait's name.
    covariates
        By name of the covariate, values by accession: numbers, or levels as strings.
    trait
        Lines, their values with weights, and the trait's name.
    kinship
        Relationship in the place of the markers'.

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
    every = np.hstack(blocks)
    kept = independent_columns(every)
    design, dropped = every[:, kept], every.shape[1] - len(kept)
    if len(names) - design.shape[1] < MINIMUM_LABELLED:
        raise BudwoodError(
            f"covariates with {counted(design.shape[1], 'effect')} are too many for "
            f"{counted(len(names), 'phenotyped line')}",
            mend="leave out covariates, or join levels",
        )
    given = None if kinship is None else kinship.of(genotypes.accessions)
    kernel = PanelKernels(genotypes, relationship=given).cross(RELATIONSHIP, lines.rows, lines.rows)
    fixed = np.column_stack([np.ones(len(names)), design])
    components = reml(lines.y, [kernel], fixed=fixed, weights=lines.weights)
    effects = blup(lines.y, [kernel], components, fixed=fixed, weights=lines.weights).fixed_effects[1:]
    part = design @ effects
    adjusted = dict(zip(names, (lines.y - part).tolist(), strict=True))
    share = float(np.var(part) / np.var(lines.y))
    note = (
        f"Values are adjusted for covariates, {', '.join(notes)}, which account for {share:.0%} of their "
        "variance: fixed effects by generalised least squares beside the relationship. Kernel models keep "
        "them as fixed effects, and their errors include the uncertainty of these; other models learn from "
        "the adjusted values. Predictions are for the mean of the phenotyped lines' covariates, also for "
        "lines whose own covariates are known."
    )
    more = (
        (f"Left out: {counted(dropped, 'effect')} of covariates that others determine.",) if dropped else ()
    )
    return replace(
        means,
        values={**means.values, **adjusted},
        notes=(*means.notes, note, *more),
        covariates=dict(zip(names, design, strict=True)),
    )


def _columns(name: str, values: Mapping[str, float | str], lines: list[str]) -> tuple[Matrix, str]:
    """(n, k) centred columns of a covariate, 0 where a line has no value, and what it is."""
    known = np.array([line in values for line in lines])
    if not known.any():
        raise BudwoodError(
            f"no phenotyped line has a value of covariate {name!r}",
            mend="write accession ids the same way in both files",
        )
    given = [values[line] for line in lines if line in values]
    if all(isinstance(value, float | int | np.number) for value in given):
        shown, columns = name, np.array(given, dtype=np.float64)[:, None]
    else:
        words = np.array([str(value) for value in given])
        levels = np.unique(words)
        shown = f"{name} ({counted(len(levels), 'level')})"
        columns = (words[:, None] == levels[1:]).astype(np.float64)
    if not np.isfinite(columns).all():
        raise BudwoodError(
            f"a value of covariate {name!r} is not a number", mend="correct it or leave it empty"
        )
    found = np.zeros((len(lines), columns.shape[1]))
    spread = np.std(columns, axis=0)
    found[known] = (columns - columns.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    absent = len(lines) - int(known.sum())
    return found, f"{shown}, missing for {counted(absent, 'line')}" if absent else shown
