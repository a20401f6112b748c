"""Open the files of a recipe: contigs with their species, in groups of limited size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from budwood.corpus.recipe.recipe import AssemblySource, CorpusRecipe
from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.sequence.fasta_collection import open_collection
from budwood.genomics.io.tables.species_table import read_species_table

_MEGABASE: Final = 1_000_000


@dataclass(frozen=True)
class SourceContig:
    """One contig of a source.

    Attributes
    ----------
    name
        Name in the FASTA file.
    length
        Bases.
    species, lineage
        Label and ranks of its species.
    subgenome
        Subgenome where the recipe assigns one, else empty.
    """

    name: str
    length: int
    species: str
    lineage: tuple[str, ...]
    subgenome: str = ""


@dataclass(frozen=True)
class OpenSource:
    """A source with its contigs, in groups that one task reads at once.

    Attributes
    ----------
    source
        The entry of the recipe.
    contigs
        The contigs that are used.
    groups
        The same contigs in groups.
    """

    source: AssemblySource
    contigs: tuple[SourceContig, ...]
    groups: tuple[tuple[SourceContig, ...], ...]

    @property
    def bases(self) -> int:
        """Bases of all contigs that are used."""
        return sum(contig.length for contig in self.contigs)

    def inputs(self) -> dict[str, Path]:
        """Files that the stages read.

        Returns
        -------
        dict
            Paths by kind: ``fasta``, ``annotation``, ``repeats``.
        """
        source = self.source
        named = {"fasta": source.fasta, "annotation": source.annotation, "repeats": source.repeats}
        return {kind: source.path(name) for kind, name in named.items() if name}


def open_assemblies(recipe: CorpusRecipe) -> list[OpenSource]:
    """Open every FASTA file of a recipe; empty and excluded contigs are left out.

    Parameters
    ----------
    recipe
        The recipe.

    Returns
    -------
    list of OpenSource
        The sources in the order of the recipe.

    Raises
    ------
    BudwoodError
        If a file cannot be read, no contig of it is left, or a pattern or table does not match its contigs.
    """
    missing = [path for path in recipe.files() if not path.is_file()]
    if missing:
        raise BudwoodError("a file of the recipe is missing", where=str(missing[0]), mend="correct its path")
    return [_open(source, recipe.shards.megabases * _MEGABASE) for source in recipe.sources]


def open_contigs(path: Path, *, collection: bool) -> Assembly:
    """Open the sequences of a source; a collection may contain a record twice.

    Parameters
    ----------
    path
        A FASTA file.
    collection
        Whether the file holds sequences of many species.

    Returns
    -------
    Assembly
        The opened sequences.
    """
    return open_collection(path) if collection else open_fasta(path)


def _open(source: AssemblySource, largest: int) -> OpenSource:
    lengths = open_contigs(source.path(source.fasta), collection=source.collection).contigs
    species = _species(source, lengths)
    subgenomes = _subgenomes(source, list(lengths))
    _check_excluded(source, {name: species[name][1] for name in lengths})
    contigs = []
    for name, length in lengths.items():
        label, bare, lineage = species[name]
        left_out = any(fnmatchcase(name, p) or fnmatchcase(bare, p) for p in source.exclude)
        if length and not left_out:
            contigs.append(SourceContig(name, length, label, lineage, subgenomes.get(name, "")))
    if not contigs:
        raise BudwoodError(
            "every contig is empty or left out", where=source.path(source.fasta).name, mend="check the file"
        )
    return OpenSource(source, tuple(contigs), tuple(_groups(contigs, largest)))


def _check_excluded(source: AssemblySource, bare: Mapping[str, str]) -> None:
    """Refuse a pattern without a match: a typing error could let in what should stay unseen."""
    names = set(bare) | set(bare.values())
    for pattern in source.exclude:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise BudwoodError(
                f"no contig or species is called {pattern!r}",
                where=f"exclude of {source.label}",
                mend="correct the pattern or remove it",
            )


def _species(
    source: AssemblySource, contigs: Mapping[str, int]
) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """For each contig: label of its species in the corpus, plain name, ranks."""
    if not source.species_table:
        return dict.fromkeys(contigs, (source.species, source.species, source.lineage))
    path = source.path(source.species_table)
    rows = read_species_table(path)
    missing = [name for name in contigs if name not in rows]
    if missing:
        raise BudwoodError(
            f"the table names no species for {missing[0]!r}", where=str(path), mend="add a row for it"
        )
    # A species may be in the corpus with its nuclear genome and in a collection as well.
    return {
        name: (f"{rows[name].species} ({source.species})", rows[name].species, rows[name].lineage)
        for name in contigs
    }


def _subgenomes(source: AssemblySource, contigs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for subgenome, patterns in source.subgenomes.items():
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            members = [name for name in contigs if fnmatchcase(name, pattern)]
            twice = [name for name in members if found.get(name, subgenome) != subgenome]
            if twice or not members:
                what = (
                    f"contig {twice[0]!r} is in two subgenomes"
                    if twice
                    else f"no contig is called {pattern!r}"
                )
                raise BudwoodError(what, where=f"subgenomes of {source.label}", mend="correct the patterns")
            found |= dict.fromkeys(members, subgenome)
    return found


def _groups(contigs: Sequence[SourceContig], largest: int) -> list[tuple[SourceContig, ...]]:
    groups: list[list[SourceContig]] = []
    size = 0
    for contig in contigs:
        if not groups or size + contig.length > largest:
            groups.append([])
            size = 0
        groups[-1].append(contig)
        size += contig.length
    return [tuple(group) for group in groups]
