"""What the columns of a table are, by their names and by what is in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from budwood.errors import BudwoodError, suggestion
from budwood.genomics.io.tables.table import Table

#: Names of the column that names the accession, first those that can hardly mean anything else.
_ACCESSION: Final = [
    "accession",
    "accessions",
    "accession_id",
    "accession_name",
    "accessionname",
    "accession_number",
    "genotype",
    "genotypes",
    "genotype_id",
    "genotype_name",
    "geno",
    "germplasm",
    "germplasmname",
    "germplasm_name",
    "germplasmdbid",
    "germplasm_id",
    "line",
    "lines",
    "line_id",
    "line_name",
    "linename",
    "taxa",
    "taxon",
    "taxa_name",
    "cultivar",
    "cultivars",
    "variety",
    "strain",
    "inbred",
    "inbred_line",
    "iid",
    "sample",
    "sample_id",
    "sample_name",
    "samplename",
    "individual",
    "individual_id",
]
_ACCESSION_PERHAPS: Final = [
    "id",
    "ids",
    "name",
    "names",
    "entry",
    "entry_name",
    "entry_id",
    "gid",
    "hybrid",
    "clone",
]
_ROLES: Final[Mapping[str, str]] = {
    "trait": "trait traits trait_name traitname phenotype character variable observationvariablename",
    "value": "value values trait_value phenotype_value measurement observation observationvalue estimate",
    "environment": "environment environments env environ envir environment_name environment_id "
    "environmentname",
    "standard_error": "standard_error se std_error stderr std_err sem",
    "provenance": "provenance",
}
#: Columns that are numbers and yet no traits: identifiers, pedigree, layout of a trial, quality of calls.
_NO_TRAITS: Final = frozenset(
    [
        "family",
        "families",
        "fam",
        "fid",
        "pedigree",
        "population",
        "pop",
        "subpopulation",
        "subpop",
        "cluster",
        "year",
        "season",
        "rep",
        "reps",
        "replicate",
        "replicates",
        "replication",
        "block",
        "blocks",
        "blk",
        "incomplete_block",
        "incblock",
        "iblock",
        "plot",
        "plots",
        "plot_id",
        "plot_no",
        "plotno",
        "plot_number",
        "plotnumber",
        "row",
        "col",
        "column",
        "range",
        "bed",
        "pass",
        "maf",
        "call_rate",
        "callrate",
        "missing_rate",
        "missing",
        "heterozygosity",
        "entry",
        "entry_no",
        "entryno",
        "index",
        "no",
        "number",
        "order",
        "unnamed_0",
        "taxonomy_id",
    ]
)
# Columns of PLINK's tables, where FID or IID stands beside them.
_PEDIGREE: Final = frozenset(["fid", "iid", "pat", "mat", "father", "mother", "sex"])
_HALF: Final = 0.5


@dataclass(frozen=True)
class AccessionColumn:
    """Which column names the accession, and what to say about the choice.

    Attributes
    ----------
    index
        Number of the column, from 0.
    notes
        Sentences about the choice.
    """

    index: int
    notes: tuple[str, ...] = ()


def column_roles(table: Table) -> dict[str, int]:
    """Columns with a common name for trait and value (both or none), environment and the like.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    dict
        Column number, from 0, by role.
    """
    plain = table.plain
    found = {}
    for role, names in _ROLES.items():
        at = [i for i, name in enumerate(plain) if name in names.split()]
        if at:
            found[role] = at[0]
    if not is_long(found):
        return {role: index for role, index in found.items() if role in ("environment", "provenance")}
    return found


def is_long(roles: Mapping[str, int]) -> bool:
    """Whether a table has a row for each value: columns for the trait and for its value.

    Parameters
    ----------
    roles
        Columns by role, from :func:`column_roles`.

    Returns
    -------
    bool
        True for a long table.
    """
    return {"trait", "value"} <= roles.keys()


def no_traits(table: Table) -> set[int]:
    """Columns whose names say that they are no traits, whatever numbers they hold.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    set of int
        Column numbers, from 0.
    """
    plain = table.plain
    listed = _NO_TRAITS | _PEDIGREE if {"fid", "iid"} & set(plain) else _NO_TRAITS
    return {i for i, name in enumerate(plain) if not name or name in listed or name.endswith("_id")}


def accession_column(
    table: Table,
    roles: Mapping[str, int],
    named: str | None = None,
    genotyped: Collection[str] | None = None,
) -> AccessionColumn:
    """Find the column that names the accession: as given, by its name, by its cells, or the first.

    Parameters
    ----------
    table
        The table.
    roles
        Columns that are known to be something else.
    named
        Its name, where the user gives it.
    genotyped
        Names of the genotyped accessions; the column's cells should be among them.

    Returns
    -------
    AccessionColumn
        The column, with notes on the choice.

    Raises
    ------
    BudwoodError
        If the named column is not there, or two columns fit equally well.
    """
    if named is not None:
        if named not in table.header:
            raise BudwoodError(
                f"there is no column {named!r}",
                where=str(table.path),
                mend=suggestion(named, table.header, most=24),
            )
        return AccessionColumn(table.header.index(named))
    known = _known(table)
    if genotyped:
        found = _by_fit(table, roles, known, frozenset(genotyped))
        if found is not None:
            return found
    if known:
        others = [table.header[i] for i in known[1:]]
        note = f"Column {', '.join(map(repr, others))} could name the accession, too; see --accession-column."
        return AccessionColumn(known[0], (note,) if others else ())
    return AccessionColumn(next((i for i in range(len(table.header)) if i not in roles.values()), 0))


def _known(table: Table) -> list[int]:
    """Columns with a common name for the accession, the surest first."""
    plain = table.plain
    sure = [i for i, name in enumerate(plain) if name in _ACCESSION]
    return sure or [i for i, name in enumerate(plain) if name in _ACCESSION_PERHAPS]


def _by_fit(
    table: Table, roles: Mapping[str, int], known: Sequence[int], genotyped: frozenset[str]
) -> AccessionColumn | None:
    """The column whose cells are names of genotyped accessions, None where no column's are."""
    matched = {
        i: len(genotyped.intersection(table.column(i)))
        for i in range(len(table.header))
        if i not in roles.values()
    }
    best = max(matched.values(), default=0)
    fits = [i for i, count in matched.items() if count and count >= _HALF * best]
    plain = table.plain
    candidates = [i for i in fits if i in known] or [
        i for i in fits if plain[i] in (*_ACCESSION, *_ACCESSION_PERHAPS)
    ]
    by_name = bool(candidates)
    candidates = candidates or fits
    distinct = [i for i in candidates if table.column(i) != table.column(candidates[0])]
    if distinct:
        both = [table.header[candidates[0]], table.header[distinct[0]]]
        raise BudwoodError(
            f"columns {both[0]!r} and {both[1]!r} both hold names of genotyped accessions",
            where=str(table.path),
            mend="name the right one with --accession-column",
        )
    if not candidates:
        return None
    chosen = candidates[0]
    name = table.header[chosen]
    others = [
        table.header[i] for i in fits if i not in candidates and table.column(i) != table.column(chosen)
    ]
    if by_name and others:
        note = (
            f"Column {name!r} was taken for the accession by its name; {others[0]!r} holds such names, too."
        )
        return AccessionColumn(chosen, (note,))
    if not by_name and chosen != 0:
        note = f"Column {name!r} was taken for the accession, because its cells are names of genotyped ones."
        return AccessionColumn(chosen, (note,))
    return AccessionColumn(chosen)
