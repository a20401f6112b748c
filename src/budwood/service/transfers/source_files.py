"""Files of several sources of a transfer, in the order in which the command line takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from budwood.service.refusal import Refusal
from budwood.service.uploads import numbered_role, role_with_number

#: Files of sources by role, and the options that take them; of a panel, and of any source.
PANEL_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "source_genotypes": "source-genotypes",
        "source_phenotypes": "source-phenotypes",
        "source_reference": "source-reference",
        "source_map": "source-map",
    }
)
SOURCE_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "source_genes": "source-genes",
        "source_scores": "source-scores",
        "orthologs": "orthologs",
        "blocks": "blocks",
    }
)
_GENOTYPES: Final = "source_genotypes"


def check_sources(roles: Iterable[str], models: int) -> None:
    """Refuse files of sources that do not exist.

    The first sources are saved models; those after them have genotypes. A role without a number belongs to
    the first source.

    Parameters
    ----------
    roles
        Of all files that were sent.
    models
        Number of saved models.

    Raises
    ------
    Refusal
        If a number is left out, belongs to a saved model, or to no source.
    """
    by: dict[str, list[int]] = {}
    for role in roles:
        base, number = numbered_role(role)
        by.setdefault(base, []).append(number)
    panels = sorted(by.get(_GENOTYPES, []))
    count = models + len(panels)
    if panels != list(range(models + 1, count + 1)):
        raise Refusal(
            422,
            "the genotypes of sources are not numbered one after another, saved models first",
            where=_GENOTYPES,
            mend=f"the first is {role_with_number(_GENOTYPES, models + 1)} here",
        )
    for base in (*PANEL_ROLES, *SOURCE_ROLES):
        allowed = panels if base in PANEL_ROLES else range(1, count + 1)
        for number in by.get(base, []):
            if by[base] != [1] and number not in allowed:
                raise Refusal(
                    422,
                    f"source {number} does not exist, or is a saved model that holds its own files",
                    where=role_with_number(base, number),
                    mend=f"there are {models} saved models and {len(panels)} sources with genotypes",
                )


def source_words(files: Mapping[str, str], models: int) -> list[str]:
    """Options of the command for the files of all sources.

    Where a role has files with numbers, each source has its own and ``-`` stands for none; a file without a
    number that is the only one of its role counts for all sources, as on the command line.

    Parameters
    ----------
    files
        Paths by role.
    models
        Number of saved models, which are the first sources.

    Returns
    -------
    list of str
        Options and values, joined by ``=``.

    Examples
    --------
    >>> source_words({"source_genotypes_2": "b.vcf", "orthologs": "pairs.csv"}, models=1)
    ['--source-genotypes=b.vcf', '--orthologs=pairs.csv']
    >>> source_words({"source_genotypes_2": "b.vcf", "orthologs_2": "pairs.csv"}, models=1)
    ['--source-genotypes=b.vcf', '--orthologs=-', '--orthologs=pairs.csv']
    """
    by: dict[str, dict[int, str]] = {}
    for role, path in files.items():
        base, number = numbered_role(role)
        by.setdefault(base, {})[number] = path
    panels = sorted(by.get(_GENOTYPES, {}))
    every = [*range(1, models + 1), *panels]
    words = []
    for roles, numbers in ((PANEL_ROLES, panels), (SOURCE_ROLES, every)):
        for role, option in roles.items():
            given = by.get(role, {})
            if not given:
                continue
            alone = list(given) == [1] and role != _GENOTYPES
            values = list(given.values()) if alone else [given.get(number, "-") for number in numbers]
            words += [f"--{option}={value}" for value in values]
    return words
