"""One trait of a panel in several environments: what multi-environment models learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.phenotyped import MINIMUM_LABELLED
from budwood.stats.mixed_model.cell_means import cell_means
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """Means of accessions in environments.

    Attributes
    ----------
    environments
        All environments, those without records included.
    line, environment
        (N,) row of the genotypes and of ``environments`` of each mean; a pair stands once.
    value, standard_error
        (N,) the mean, and its standard error (NaN where unknown).
    notes
        Sentences about records that were averaged or take no part.
    """

    environments: Environments
    line: Rows
    environment: Rows
    value: Vector
    standard_error: Vector
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.value)

    @property
    def seen(self) -> Rows:
        """Environments with records, in rising order."""
        return np.unique(self.environment)

    @property
    def lines(self) -> Rows:
        """Rows of the genotypes with records, in rising order."""
        return np.unique(self.line)

    def take(self, cells: Rows) -> Trials:
        """The chosen means; all environments stay known.

        Parameters
        ----------
        cells
            Numbers of the cells.

        Returns
        -------
        Trials
            Means in environments.
        """
        return replace(
            self,
            line=self.line[cells],
            environment=self.environment[cells],
            value=self.value[cells],
            standard_error=self.standard_error[cells],
        )

    def shuffled(self, generator: np.random.Generator) -> Trials:
        """The same cells with the values of each environment shuffled among its lines.

        Parameters
        ----------
        generator
            Draws the shuffles.

        Returns
        -------
        Trials
            Means in environments.
        """
        value = self.value.copy()
        for environment in self.seen:
            cells = np.flatnonzero(self.environment == environment)
            value[cells] = value[generator.permutation(cells)]
        return replace(self, value=value)

    def weights(self) -> Vector:
        """(N,) 1 / se^2 divided by its mean in the environment; 1 where a standard error is unknown.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        weights = np.ones(len(self))
        known = np.isfinite(self.standard_error)
        for environment in self.seen:
            cells = self.environment == environment
            if known[cells].all():
                precision = 1.0 / self.standard_error[cells] ** 2
                weights[cells] = precision / precision.mean()
        return weights


def match_trials(
    genotypes: Genotypes, phenotypes: Phenotypes, trait: str, environments: Environments | None = None
) -> Trials:
    """Means of a trait for the genotyped accessions in each environment.

    Parameters
    ----------
    genotypes
        Accessions and their markers.
    phenotypes
        Records of accessions in environments.
    trait
        Name of the trait.
    environments
        Table of environments; it must know those of the records and may know more. By default those of the
        records, of which nothing but the name is known.

    Returns
    -------
    Trials
        Means in environments.

    Raises
    ------
    BudwoodError
        If the trait is unknown, records name no or one environment only or one that the table does not know,
        or fewer than 10 accessions match.
    """
    check_is_genotypes(genotypes)
    phenotypes.means(trait)
    chosen = np.flatnonzero(phenotypes.trait == trait)
    # Sums over records are the same to the last digit whatever the order of the file.
    chosen = chosen[_order(phenotypes, chosen)]
    names = phenotypes.environment[chosen]
    _check_several(names, trait)
    known = environments or Environments.named(sorted(set(names)), phenotypes.provenance)
    known.check_known(names.tolist())
    genotyped = np.array([name in genotypes.row for name in phenotypes.accession[chosen]])
    chosen, names = chosen[genotyped], names[genotyped]
    line = np.array([genotypes.row[name] for name in phenotypes.accession[chosen]], dtype=np.intp)
    _check_enough(genotypes, phenotypes, line, trait)
    environment = np.array([known.row[name] for name in names], dtype=np.intp)
    means = cell_means(line, environment, phenotypes.value[chosen], phenotypes.standard_error[chosen])
    absent = len(set(phenotypes.accession[phenotypes.trait == trait])) - len(set(line.tolist()))
    left = f"Not used for want of genotypes: {counted(absent, 'accession')} with a value."
    notes = (left,) if absent else ()
    _check_varying(known, means.environment, means.value, trait)
    return Trials(
        known, means.line, means.environment, means.value, means.standard_error, (*means.notes, *notes)
    )


def _order(phenotypes: Phenotypes, chosen: Rows) -> Rows:
    """Order of records by accession, environment, value and standard error."""
    columns = (phenotypes.accession, phenotypes.environment, phenotypes.value, phenotypes.standard_error)
    keys = list(zip(*(column[chosen].tolist() for column in columns), strict=True))
    unknown = float("-inf")
    whole = [(*key[:3], key[3] if key[3] == key[3] else unknown) for key in keys]
    return np.array(sorted(range(len(keys)), key=whole.__getitem__), dtype=np.intp)


def _check_several(names: NDArray[np.object_], trait: str) -> None:
    distinct = sorted(set(names))
    if len(distinct) < 2:
        sentence = f"one environment only, {distinct[0]!r}" if distinct[0] else "no environment"
        raise BudwoodError(
            f"the records of trait {trait!r} name {sentence}",
            mend="give long phenotypes with a column environment, or a scheme that needs none",
        )


def _check_enough(genotypes: Genotypes, phenotypes: Phenotypes, line: Rows, trait: str) -> None:
    count = len(set(line.tolist()))
    if count >= MINIMUM_LABELLED:
        return
    few = "1 accession has" if count == 1 else f"{count} accessions have"
    raise BudwoodError(
        f"only {few} both genotypes and a value of trait {trait!r}: genotypes name "
        f"{genotypes.accessions[0]!r}, phenotypes {phenotypes.accession[0]!r}",
        mend=f"phenotype at least {MINIMUM_LABELLED}, and write accession ids the same way in both files",
    )


def _check_varying(known: Environments, environment: Rows, value: Vector, trait: str) -> None:
    for row in np.unique(environment):
        values = value[environment == row]
        if len(values) > 1 and np.ptp(values) == 0.0:
            raise BudwoodError(
                f"trait {trait!r} has the same value, {values[0]:g}, in all {len(values)} accessions of "
                f"environment {known.names[row]!r}",
                mend="leave that environment out",
            )
