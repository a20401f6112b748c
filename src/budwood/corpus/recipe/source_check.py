"""Check annotations and repeat tracks against their genomes before a build begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.sources import OpenSource, open_contigs
from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.open_annotation import read_annotation


def check_sources(
    recipe: CorpusRecipe, sources: Sequence[OpenSource], digests: Mapping[Path, str]
) -> list[str]:
    """Refuse files that cannot belong together, and collect notes.

    Parameters
    ----------
    recipe
        The recipe.
    sources
        Its opened sources.
    digests
        SHA-256 of every file of the recipe.

    Returns
    -------
    list of str
        Notes, one sentence each.

    Raises
    ------
    BudwoodError
        If an annotation or a repeat track is empty, names no contig of its genome or extends past the end of
        one, or if two sources give the same sequence.
    """
    _check_once(sources, digests)
    notes = []
    for opened in sources:
        source = opened.source
        if source.annotation:
            path = source.path(source.annotation)
            genes = [(gene.contig, gene.end) for gene in read_annotation(path).genes]
            notes += _check_contigs(opened, path, "annotation", "gene", genes)
        if source.repeats:
            path = source.path(source.repeats)
            repeats = [(repeat.contig, repeat.end) for repeat in read_annotation(path).repeats]
            notes += _check_contigs(opened, path, "repeat track", "repeat", repeats)
        bare = [contig.name for contig in opened.contigs if not contig.subgenome]
        if source.subgenomes and bare:
            note = f"{len(bare)} of {len(opened.contigs)} contigs are in no subgenome, {bare[0]!r} first"
            notes.append(f"{source.label}: {note}")
    pool = [o for o in sources if not (o.source.share or o.source.collection)]
    if recipe.balance.method == "lineage" and len(pool) > 1 and not any(o.source.lineage for o in pool):
        notes.append("no species has a lineage, so all count alike")
    return notes


def _check_once(sources: Sequence[OpenSource], digests: Mapping[Path, str]) -> None:
    """No sequence may count twice; parts of one file may be separate sources by means of ``exclude``."""
    seen: dict[tuple[str, str], OpenSource] = {}
    for opened in sources:
        path = opened.inputs()["fasta"]
        for contig in opened.contigs:
            other = seen.setdefault((digests[path], contig.name), opened)
            if other is not opened:
                raise BudwoodError(
                    f"{other.source.label} and {opened.source.label} are the same sequence",
                    where=f"{path}, {contig.name}",
                    mend="remove one of them, or give it its own file",
                )


def _check_contigs(
    opened: OpenSource, path: Path, what: str, kind: str, found: Iterable[tuple[str, int]]
) -> list[str]:
    lengths = open_contigs(opened.inputs()["fasta"], collection=opened.source.collection).contigs
    last: dict[str, int] = {}
    for contig, end in found:
        last[contig] = max(end, last.get(contig, 0))
    if not last:
        raise BudwoodError(f"the {what} holds no {kind}", where=str(path), mend="give another file")
    strange = [contig for contig in last if contig not in lengths]
    if len(strange) == len(last):
        raise BudwoodError(
            f"the {what} names no contig of {opened.source.label}: it has {strange[0]!r}, "
            f"the genome {next(iter(lengths))!r}",
            where=str(path),
            mend="give the file of this assembly, or rename the contigs in one of the two",
        )
    beyond = [contig for contig, end in last.items() if end > lengths.get(contig, end)]
    if beyond:
        raise BudwoodError(
            f"a {kind} ends at base {last[beyond[0]]:,} of contig {beyond[0]!r}, "
            f"which has {lengths[beyond[0]]:,}",
            where=str(path),
            mend="give the file of this assembly",
        )
    if not strange:
        return []
    note = f"{len(strange)} of the {len(last)} contigs of its {what} are not in the genome"
    return [f"{opened.source.label}: {note}, {strange[0]!r} first"]
