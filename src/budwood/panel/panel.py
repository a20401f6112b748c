"""Panel: genotypes, phenotypes and further data of accessions, aligned by their names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, UnknownTrait
from budwood.genomics.checks.chosen_rows import Choice, chosen_rows
from budwood.genomics.checks.identity import IdentityReport, identity_report
from budwood.genomics.checks.reference_check import ReferenceCheck
from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.kinship import Kinship
from budwood.genomics.phenotypes import Phenotypes
from budwood.panel.accession_means import AccessionMeans, accession_means
from budwood.panel.marker_weights import MarkerWeights


@dataclass(frozen=True, kw_only=True, eq=False)
class HaplotypeVectors:
    """Embeddings of a panel's distinct window sequences.

    Attributes
    ----------
    values
        (H, size) ``float32``, in the order of :attr:`HaplotypeTable.sequences`.
    checkpoint, digest
        Name and digest of the encoder.
    device
        Where the encoder ran, such as ``cpu``; empty where that is not known.
    """

    values: NDArray[np.float32]
    checkpoint: str
    digest: str
    device: str = ""

    def __repr__(self) -> str:
        rows, size = self.values.shape
        return f"HaplotypeVectors({rows:,} x {size} by {self.checkpoint})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Panel:
    """Genotypes and further data of the same accessions.

    The accessions of the genotypes, in their order, are the panel's. Everything else is aligned to them by
    name.

    Attributes
    ----------
    genotypes
        Dosages, n accessions x m markers.
    phenotypes
        Trait values, of these accessions and perhaps of others; None for a panel of candidates only.
    identity
        Which accessions have genotypes and which phenotypes; made from the two where it is not given.
    haplotypes
        Distinct window sequences; must hold every accession, and is put in the panel's order.
    reference_check
        How the alleles fit the reference genome that the haplotypes come from.
    vectors
        Embeddings of the haplotypes' sequences.
    environments
        Where the phenotypes were observed.
    weights
        Marker weights of relationships by function and by subgenome.
    kinship
        Relationship in the place of the markers'; must hold every accession.
    notes
        Sentences: what was assumed when the files were read, and, where ``identity`` is not given, which
        phenotyped accessions have no genotypes.

    Raises
    ------
    BudwoodError
        If the genotypes are impossible (see :meth:`Genotypes.check`), phenotypes name none of the accessions,
        haplotypes lack some, or vectors or weights are of another size.

    Examples
    --------
    >>> genotypes = Genotypes.from_matrix(["a", "b", "c"], np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8))
    >>> strings = lambda *words: np.array(words, dtype=object)
    >>> phenotypes = Phenotypes(strings("c", "a"), strings("h", "h"), strings("", ""),
    ...                         np.array([9.0, 7.0]), np.full(2, np.nan))
    >>> panel = Panel(genotypes=genotypes, phenotypes=phenotypes)
    >>> panel
    Panel(3 accessions x 2 markers, traits: h)
    >>> panel.values("h")
    {'a': 7.0, 'c': 9.0}
    >>> panel.take(["b"])
    Panel(1 accession x 2 markers)
    """

    genotypes: Genotypes
    phenotypes: Phenotypes | None = None
    identity: IdentityReport | None = None
    haplotypes: HaplotypeTable | None = None
    reference_check: ReferenceCheck | None = None
    vectors: HaplotypeVectors | None = None
    environments: Environments | None = None
    weights: MarkerWeights = field(default_factory=MarkerWeights)
    kinship: Kinship | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_is_genotypes(self.genotypes)
        for name, kind, reader in (
            ("phenotypes", Phenotypes, "read_phenotypes"),
            ("haplotypes", HaplotypeTable, "build_haplotypes"),
        ):
            given = getattr(self, name)
            if not (given is None or isinstance(given, kind)):
                raise BudwoodError(
                    f"the {name} are of type {type(given).__name__}", mend=f"give what {reader} returns"
                )
        if self.phenotypes is not None and self.identity is None:
            report = identity_report(self.genotypes.accessions, self.phenotypes.accessions)
            object.__setattr__(self, "identity", report)
            told = tuple(sentence for sentence in report.left_out() if sentence not in self.notes)
            object.__setattr__(self, "notes", (*self.notes, *told))
        if self.haplotypes is not None:
            object.__setattr__(self, "haplotypes", _aligned(self.haplotypes, self.accessions))
        self._check_sizes()

    def _check_sizes(self) -> None:
        if self.vectors is not None:
            rows = len(self.vectors.values)
            known = 0 if self.haplotypes is None else self.haplotypes.n_sequences
            if rows != known:
                raise BudwoodError(
                    f"{rows} vectors do not fit {known} haplotype sequences",
                    mend="embed the sequences of these haplotypes",
                )
        if self.kinship is not None:
            self.kinship.of(self.accessions)
        m = len(self.genotypes.markers)
        for kernel, weights in self.weights.by_kernel.items():
            if len(weights) != m:
                raise BudwoodError(
                    f"{len(weights)} marker weights of {kernel!r} do not fit {m} markers",
                    mend="give one weight for each marker",
                )

    def __len__(self) -> int:
        return len(self.accessions)

    def __repr__(self) -> str:
        n, m = self.shape
        parts = [f"{n:,} accession{'' if n == 1 else 's'} x {m:,} marker{'' if m == 1 else 's'}"]
        if self.traits:
            listed = ", ".join(self.traits[:6])
            parts.append(f"traits: {listed}{', ...' if len(self.traits) > 6 else ''}")
        if self.haplotypes is not None:
            parts.append(f"{self.haplotypes.n_sequences:,} haplotypes")
        if self.vectors is not None:
            parts.append(f"vectors by {self.vectors.checkpoint}")
        return f"Panel({', '.join(parts)})"

    @property
    def shape(self) -> tuple[int, int]:
        """Number of accessions and of markers."""
        return len(self.accessions), len(self.genotypes.markers)

    @property
    def accessions(self) -> tuple[str, ...]:
        """Ids in the order of the genotypes: labels of the first axis."""
        return self.genotypes.accessions

    @property
    def markers(self) -> tuple[str, ...]:
        """Names of the markers: labels of the second axis."""
        return tuple(self.genotypes.markers.identifier)

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits that the phenotypes name, none without phenotypes."""
        return () if self.phenotypes is None else self.phenotypes.traits

    def measured(self, trait: str) -> dict[str, float]:
        """Value by accession, adjusted for environments, those without genotypes included.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        dict[str, float]
            Value by accession, in units of the trait.

        Raises
        ------
        BudwoodError
            As :meth:`accession_means`.
        """
        return dict(self.accession_means(trait).values)

    def accession_means(self, trait: str) -> AccessionMeans:
        """Values by accession, adjusted for environments, with their weights and how they were made.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        AccessionMeans
            Means by accession with their weights.

        Raises
        ------
        BudwoodError
            If the panel has no phenotypes, or the trait is none of them.
        """
        if self.phenotypes is None:
            raise BudwoodError("the panel has no phenotypes", mend="give the table of trait values as well")
        if trait not in self.traits:
            raise UnknownTrait(trait, self.traits)
        return accession_means(self.phenotypes, trait)

    def values(self, trait: str) -> dict[str, float]:
        """Value of each genotyped accession that has one, adjusted for environments, in the panel's order.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        dict[str, float]
            Value by accession, in units of the trait.

        Raises
        ------
        BudwoodError
            As :meth:`measured`.
        """
        means = self.measured(trait)
        return {name: means[name] for name in self.accessions if name in means}

    def take(self, accessions: Choice) -> Panel:
        """The chosen accessions, in the order given.

        Phenotypes of other accessions are left out; a panel without any phenotyped accession has no
        phenotypes.

        Parameters
        ----------
        accessions
            Ids, row numbers from 0, or a mask (n,), each accession once.

        Returns
        -------
        Panel
            A panel of those accessions.

        Raises
        ------
        BudwoodError
            As :func:`~budwood.genomics.checks.chosen_rows.chosen_rows`, and if nothing is chosen.
        """
        rows = chosen_rows(self.accessions, accessions)
        names = {self.accessions[row] for row in rows}
        phenotypes = None if self.phenotypes is None else _of_accessions(self.phenotypes, names)
        return replace(self, genotypes=self.genotypes.take(rows), phenotypes=phenotypes, identity=None)


def _of_accessions(phenotypes: Phenotypes, chosen: set[str]) -> Phenotypes | None:
    """Records of the chosen accessions, None where there are none."""
    kept = np.array([name in chosen for name in phenotypes.accession], dtype=bool)
    if not kept.any():
        return None
    columns = {
        name: getattr(phenotypes, name)[kept]
        for name in ("accession", "trait", "environment", "value", "standard_error")
    }
    return replace(phenotypes, **columns)


def _aligned(table: HaplotypeTable, accessions: tuple[str, ...]) -> HaplotypeTable:
    """The table with its accessions in the order given."""
    if table.accessions == accessions:
        return table
    row = {name: i for i, name in enumerate(table.accessions)}
    absent = [name for name in accessions if name not in row]
    if absent:
        raise BudwoodError(
            f"{len(absent)} of the {len(accessions)} genotyped accessions have no haplotypes, "
            f"for example {absent[0]!r}",
            mend="give haplotypes of the same accessions, or leave those accessions out of the genotypes",
        )
    return table.take([row[name] for name in accessions])
