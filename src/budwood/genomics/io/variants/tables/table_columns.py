"""Columns of genotype tables that hold neither a marker nor an accession, known by their names."""

from __future__ import annotations

import re
from typing import Final

_ACCESSION: Final = frozenset(
    [
        "accession",
        "accessions",
        "accessionid",
        "accessionname",
        "taxa",
        "taxon",
        "taxaname",
        "line",
        "lines",
        "lineid",
        "linename",
        "sample",
        "samples",
        "sampleid",
        "samplename",
        "genotype",
        "genotypes",
        "genotypeid",
        "genotypename",
        "geno",
        "iid",
        "individual",
        "individuals",
        "individualid",
        "ind",
        "entry",
        "gid",
        "germplasm",
        "germplasmname",
        "germplasmid",
        "germplasmdbid",
        "id",
        "ids",
        "name",
        "names",
        "variety",
        "varieties",
        "cultivar",
        "cultivars",
        "clone",
        "strain",
        "inbred",
        "hybrid",
        "plant",
        "plantid",
        "animal",
        "animalid",
    ]
)
_DESCRIBE_ACCESSIONS: Final = frozenset(
    [
        "fid",
        "iid",
        "pat",
        "mat",
        "sex",
        "gender",
        "phenotype",
        "pheno",
        "father",
        "mother",
        "sire",
        "dam",
        "family",
        "families",
        "fam",
        "pedigree",
        "year",
        "season",
        "location",
        "loc",
        "site",
        "environment",
        "env",
        "block",
        "rep",
        "reps",
        "replicate",
        "replication",
        "plot",
        "row",
        "col",
        "column",
        "range",
        "population",
        "pop",
        "subpopulation",
        "subpop",
        "group",
        "cluster",
        "species",
        "subspecies",
        "country",
        "origin",
        "region",
        "latitude",
        "longitude",
        "generation",
        "trait",
        "taxonomyid",
        "entryno",
        "plotno",
        "missingrate",
        "callrate",
        "call_rate",
        "heterozygosity",
        "het",
        "comment",
        "comments",
        "note",
        "notes",
        "source",
    ]
)
_DESCRIBE_MARKERS: Final = frozenset(
    [
        "maf",
        "minorallelefrequency",
        "freq",
        "frequency",
        "af",
        "callrate",
        "missing",
        "missingrate",
        "missingness",
        "fmiss",
        "het",
        "heterozygosity",
        "hwe",
        "pvalue",
        "qual",
        "quality",
        "filter",
        "info",
        "format",
        "strand",
        "alleles",
        "allele1",
        "allele2",
        "allelea",
        "alleleb",
        "ref",
        "alt",
        "refallele",
        "altallele",
        "majorallele",
        "minorallele",
        "counted",
        "cm",
        "centimorgan",
        "genetic",
        "geneticposition",
        "assembly",
        "center",
        "protlsid",
        "assaylsid",
        "panellsid",
        "panel",
        "qccode",
        "type",
        "class",
        "gene",
        "annotation",
        "sequence",
        "allelesequence",
        "cloneid",
        "snpposition",
        "pic",
        "avgpic",
        "comment",
        "comments",
        "note",
        "notes",
        "source",
    ]
)


def letters_and_digits(name: str) -> str:
    """A column's name in lower case with letters and digits only.

    Parameters
    ----------
    name
        The name as written.

    Returns
    -------
    str
        The letters a to z and digits of the name.

    Examples
    --------
    >>> letters_and_digits("Call_Rate"), letters_and_digits("(C)M")
    ('callrate', 'cm')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def names_accessions(name: str) -> bool:
    """Whether a column of this name holds the ids of accessions.

    Parameters
    ----------
    name
        Name of the column.

    Returns
    -------
    bool
        True for a column of ids.

    Examples
    --------
    >>> names_accessions("germplasmName"), names_accessions("marker")
    (True, False)
    """
    return letters_and_digits(name) in _ACCESSION


def is_descriptive(name: str, *, of_markers: bool) -> bool:
    """Whether a column of this name describes the rows of a table and holds no genotypes.

    Parameters
    ----------
    name
        Name of the column.
    of_markers
        Whether markers stand in the rows; else accessions do.

    Returns
    -------
    bool
        True for a column without genotypes.

    Examples
    --------
    >>> is_descriptive("PHENOTYPE", of_markers=False), is_descriptive("maf", of_markers=True)
    (True, True)
    """
    return letters_and_digits(name) in (_DESCRIBE_MARKERS if of_markers else _DESCRIBE_ACCESSIONS)
