"""One value and one weight for each accession, adjusted for the environments it was observed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted, shown
from budwood.genomics.checks.series_labels import series_labels
from budwood.genomics.phenotypes import Phenotypes
from budwood.stats.mixed_model.adjusted_means import AdjustedMeans, adjusted_means
from budwood.stats.mixed_model.cell_means import CellMeans, cell_means

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Share of the variance among lines that markers are taken not to follow (Garrick, Taylor and Fernando 2009,
#: Genetics Selection Evolution 41:55): it bounds how far the weights of well-tested lines rise.
UNEXPLAINED: Final = 0.5
#: Accessions named in a note.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class AccessionMeans:
    """What a trait model learns from.

    Attributes
    ----------
    values
        Trait value by accession.
    weights
        Weight by accession, 1 on average; empty where all values weigh the same.
    notes
        Sentences about how values and weights were made.
    covariates
        (q,) covariates that values are adjusted for, by accession, 0 at their mean; empty without any.
    """

    values: Mapping[str, float]
    weights: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    covariates: Mapping[str, Vector] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"AccessionMeans({counted(len(self.values), 'accession')})"

    def design(self, accessions: tuple[str, ...]) -> NDArray[np.float64] | None:
        """Covariates of accessions.

        Parameters
        ----------
        accessions
            n ids.

        Returns
        -------
        ndarray or None
            (n, q), 0 where an accession has none; None without covariates.

        Examples
        --------
        >>> AccessionMeans(values={}, covariates={"a": np.array([2.0])}).design(("b", "a"))
        array([[0.],
               [2.]])
        """
        if not self.covariates:
            return None
        found = np.zeros((len(accessions), len(next(iter(self.covariates.values())))))
        for row, name in enumerate(accessions):
            if name in self.covariates:
                found[row] = self.covariates[name]
        return found

    def unweighted(self) -> AccessionMeans:
        """The same values, for models in which all count the same; the notes say so.

        Returns
        -------
        AccessionMeans
            Without weights.

        Examples
        --------
        >>> AccessionMeans(values={"a": 1.0, "b": 2.0}, weights={"a": 0.5, "b": 1.5}).unweighted().notes
        ('Accessions differ in the precision of their values and count the same here.',)
        """
        if not self.weights:
            return self
        said = _weighting(np.array([*self.weights.values()]))
        notes = tuple(note for note in self.notes if note != said)
        return replace(self, weights={}, notes=(*notes, _ALIKE))

    @classmethod
    def of(cls, values: Mapping[str, float] | AccessionMeans) -> AccessionMeans:
        """Values that are such means already, or plain ones, which all weigh the same.

        Parameters
        ----------
        values
            Value by accession, or means made before.

        Returns
        -------
        AccessionMeans
            By accession.

        Raises
        ------
        BudwoodError
            If a value is no number.

        Examples
        --------
        >>> AccessionMeans.of({"a": 1.0}).weights
        {}
        """
        if isinstance(values, AccessionMeans):
            return values
        for name, value in values.items():
            if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
                raise BudwoodError(
                    f"the trait value of accession {name!r}, {shown(value)}, is not a number",
                    mend="give a number, NaN where the accession is not phenotyped",
                )
        return cls(values={name: float(value) for name, value in values.items()})

    @classmethod
    def given(cls, values: object, accessions: tuple[str, ...]) -> AccessionMeans:
        """Values in any form that a caller may have them in.

        Parameters
        ----------
        values
            Means made before; value by accession, as a mapping or a pandas Series with ids as its index; or n
            numbers in the order of the accessions (a Series with the default index is one of these).
        accessions
            n ids.

        Returns
        -------
        AccessionMeans
            By accession.

        Raises
        ------
        BudwoodError
            As :meth:`of` and :meth:`in_order`, or if a Series has another index, or names are given.

        Examples
        --------
        >>> AccessionMeans.given({"b": 3.0}, ("a", "b")).values
        {'b': 3.0}
        >>> import pandas
        >>> AccessionMeans.given(pandas.Series([2.0, 1.0], index=["b", "a"]), ("a", "b")).values
        {'b': 2.0, 'a': 1.0}
        """
        if isinstance(values, Mapping | AccessionMeans):
            return cls.of(values)
        labels = series_labels(values)
        if labels is not None:
            return cls._of_series(values, labels, accessions)
        if isinstance(values, list | tuple) and values and all(isinstance(each, str) for each in values):
            raise BudwoodError(
                f"one trait is fitted at a time, and {counted(len(values), 'name')} are given in a list"
                if len(values) > 1
                else "one trait is fitted at a time, and its name is given in a list",
                mend="give one name as plain text, and call once for each trait",
            )
        return cls.in_order(values, accessions)

    @classmethod
    def _of_series(cls, series: object, labels: list[object], accessions: tuple[str, ...]) -> AccessionMeans:
        if getattr(series, "ndim", 1) != 1:
            raise BudwoodError(
                "the trait values are a table",
                mend="give one of its columns, with accession ids as its index",
            )
        if labels == list(range(len(labels))):
            return cls.in_order(series, accessions)
        if not all(isinstance(label, str) for label in labels):
            raise BudwoodError(
                "the index of the trait values holds no accession ids",
                mend="give a Series with ids as its index, such as table.set_index('accession')['height'], "
                "or values in the order of the accessions as an array",
            )
        names = [str(label) for label in labels]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise BudwoodError(
                f"accession {twice[0]!r} has {Counter(names)[twice[0]]} trait values",
                mend="give one value for each, such as their mean",
            )
        return cls.in_order(series, tuple(names))

    @classmethod
    def in_order(cls, values: object, accessions: tuple[str, ...]) -> AccessionMeans:
        """One value for each accession, in their order.

        Parameters
        ----------
        values
            n numbers, NaN where an accession is not phenotyped.
        accessions
            n ids.

        Returns
        -------
        AccessionMeans
            By accession, all of the same weight.

        Raises
        ------
        BudwoodError
            If the values are no numbers, or not n of them.

        Examples
        --------
        >>> AccessionMeans.in_order([1, 2.5], ("a", "b")).values
        {'a': 1.0, 'b': 2.5}
        """
        try:
            blank = {"na_value": np.nan} if hasattr(values, "to_numpy") and hasattr(values, "index") else {}
            given = values.to_numpy(**blank) if blank else np.asarray(values)  # type: ignore[attr-defined]
            if given.dtype.kind == "c":
                raise TypeError("complex numbers")
            found = given.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise BudwoodError(
                "the trait values are not numbers",
                mend="give one number for each line, NaN where there is none",
            ) from error
        if found.shape != (len(accessions),):
            raise BudwoodError(
                f"trait values of shape {found.shape} do not fit {counted(len(accessions), 'line')}",
                mend="give one value for each line, NaN where it is not phenotyped",
            )
        return cls(values=dict(zip(accessions, found.tolist(), strict=True)))


def accession_means(phenotypes: Phenotypes, trait: str) -> AccessionMeans:
    """Best linear unbiased estimates of a trait's accessions over environments, with weights.

    Records of an accession in an environment are averaged
    (:func:`~budwood.stats.mixed_model.cell_means.cell_means`); accession and environment effects are fitted
    to these means, all accessions of the table included, genotyped or not
    (:func:`~budwood.stats.mixed_model.adjusted_means.adjusted_means`). A table with one value for each
    accession and without standard errors is taken as it is.

    Parameters
    ----------
    phenotypes
        Records.
    trait
        Name of the trait.

    Returns
    -------
    AccessionMeans
        Means by accession with their weights and how they were made.

    Raises
    ------
    BudwoodError
        If the trait is not in the table or cannot be read, a value is infinite, or a standard error is 0.

    Examples
    --------
    >>> strings = lambda *words: np.array(words, dtype=object)
    >>> p = Phenotypes(strings("a", "b", "a", "b", "c"), np.full(5, "h", dtype=object),
    ...                strings("e1", "e1", "e2", "e2", "e2"), np.array([1.0, 3.0, 11.0, 13.0, 12.0]),
    ...                np.full(5, np.nan))
    >>> accession_means(p, "h").values
    {'a': 6.0, 'b': 8.0, 'c': 7.0}
    """
    raw = phenotypes.means(trait)
    records = np.flatnonzero(phenotypes.trait == trait)
    errors = phenotypes.standard_error[records]
    if len(records) == len(raw) and np.isnan(errors).any():
        single = len(set(phenotypes.environment[records])) > 1
        return AccessionMeans(values=raw, weights={}, notes=(_ONCE,) if single else ())
    names = sorted(raw)
    places = sorted(set(phenotypes.environment[records]))
    row = {name: i for i, name in enumerate(names)}
    place = {name: i for i, name in enumerate(places)}
    line = np.array([row[name] for name in phenotypes.accession[records]], dtype=np.intp)
    environment = np.array([place[name] for name in phenotypes.environment[records]], dtype=np.intp)
    cells = cell_means(line, environment, phenotypes.value[records], errors)
    known = bool(np.isfinite(cells.standard_error).all())
    found = adjusted_means(
        cells.line, cells.environment, cells.value, cells.standard_error**2 if known else None
    )
    if np.isnan(found.value).all():
        return AccessionMeans(values=raw, weights={}, notes=(*cells.notes, _APART))
    kept = np.flatnonzero(np.isfinite(found.value))
    weights = _weights(
        found.value[kept], found.weight[kept], scaled=known or bool(np.isfinite(found.interaction))
    )
    alone = [name for name, value in zip(names, found.value, strict=True) if np.isnan(value)]
    return AccessionMeans(
        values={names[i]: float(found.value[i]) for i in kept},
        weights={names[i]: float(w) for i, w in zip(kept, weights, strict=True)} if np.ptp(weights) else {},
        notes=(*cells.notes, *_notes(cells, found, raw, alone, names, weights)),
    )


_ONCE: Final = (
    "Warning: every accession was observed in one environment only, so that values are not adjusted for "
    "environments: differences between environments count as differences between accessions."
)
_ALIKE: Final = "Accessions differ in the precision of their values and count the same here."
_APART: Final = (
    "Warning: no two accessions were observed in the same environment, so that values are not adjusted for "
    "environments."
)


def _weights(value: Vector, precision: Vector, *, scaled: bool) -> Vector:
    """Weights with mean 1; equal ones to the last bit where the precision is equal."""
    error = 1.0 / precision
    if np.ptp(error) <= 1e-9 * error.max():
        return np.ones(len(value))
    if scaled:
        genetic = max(float(np.var(value, ddof=1)) - float(error.mean()), 0.0)
        error = error + UNEXPLAINED * genetic
    weights = 1.0 / error
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _notes(
    cells: CellMeans,
    found: AdjustedMeans,
    raw: Mapping[str, float],
    alone: list[str],
    names: list[str],
    weights: Vector,
) -> list[str]:
    """Sentences about the adjustment."""
    notes = []
    several = len(found.environment_effect)
    if several > 1:
        notes.append(_adjusted(cells, found, raw, names, weights))
    components = len(np.unique(found.component))
    if components > 1:
        notes.append(
            f"Warning: the environments fall into {components} sets that share no accession; the mean "
            "accession of each set is taken for equal, so differences between the sets are not known."
        )
    if alone:
        listed = ", ".join(alone[:_NAMED]) + (", ..." if len(alone) > _NAMED else "")
        notes.append(
            f"Without an environment in common with others: {counted(len(alone), 'accession')}, {listed}; "
            "they take no part."
        )
    if np.ptp(weights):
        notes.append(_weighting(weights))
    return notes


def _weighting(weights: Vector) -> str:
    return (
        f"Accessions are weighted by the precision of their values, from {weights.min():.2g} to "
        f"{weights.max():.2g} times the mean weight."
    )


def _adjusted(
    cells: CellMeans, found: AdjustedMeans, raw: Mapping[str, float], names: list[str], weights: Vector
) -> str:
    """What the adjustment for environments did."""
    several, count = len(found.environment_effect), len(cells.value)
    if count == several * len(names) and not np.ptp(weights):
        return (
            f"Every accession was observed in all {several} environments: values are its means over "
            "environments."
        )
    kept = np.isfinite(found.value)
    plain = np.array([raw[name] for name in names])
    r = float(np.corrcoef(plain[kept], found.value[kept])[0, 1])
    spread = float(np.ptp(found.environment_effect))
    return (
        f"Values are adjusted for {several} environments, whose effects span {spread:.4g}: best linear "
        f"unbiased estimates of accessions, environments fixed and each counting the same ({count:,} of "
        f"{several * len(names):,} combinations were observed; r with plain means {r:.3f})."
    )
