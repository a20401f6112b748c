"""GFF3 and GTF files as an Annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError, counted
from budwood.genomics.annotation.genes import Annotation, Repeat
from budwood.genomics.io.annotation.feature import Feature, nameless, read_feature
from budwood.genomics.io.annotation.gene_models import GeneLines, gene_models
from budwood.genomics.io.annotation.repeat_type import is_repeat, repeat_of
from budwood.genomics.io.text.delimited import text_lines

# Types that say nothing of genes and repeats, or repeat what other lines say.
_ASIDE: Final = frozenset(
    {
        *("region", "chromosome", "contig", "scaffold", "supercontig", "assembly", "sequence", "source"),
        *("remark", "gap", "start_codon", "intron", "protein", "polypeptide", "stop_codon_read_through"),
        *("stop_codon_redefined_as_selenocysteine", "match", "match_part", "cdna_match", "est_match"),
        *("expressed_sequence_match", "protein_match", "translated_nucleotide_match", "tss", "tts"),
        *("transcription_start_site", "transcription_end_site", "initial", "internal", "terminal", "single"),
        *("biological_region", "sequence_feature"),
    }
)
_TYPES_NAMED: Final = 8
_HALF: Final = 0.5


@dataclass
class _Collected:
    """What has been read so far; lines may come in any order, so nothing is put together yet."""

    lines: GeneLines = field(default_factory=GeneLines)
    repeats: list[Repeat] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    parts: int = 0

    def add(self, feature: Feature, number: int) -> None:
        """Sort a line into parts, repeats, and what may have parts."""
        kind = feature.kind.lower()
        if feature.is_part:
            self.parts += 1
            for parent in feature.parents:
                self.lines.parts.setdefault(parent, []).append(feature)
            if feature.parents == (nameless(kind, number),):
                self.lines.nameless += 1
        elif is_repeat(feature):
            repeat = repeat_of(feature)
            if repeat is not None:
                self.repeats.append(repeat)
        elif feature.key and kind not in _ASIDE - {"protein", "polypeptide"}:
            self.lines.add_node(feature)
        elif kind not in _ASIDE:
            self.unknown[feature.kind] += 1


def read_gff(path: Path) -> Annotation:
    """Read a GFF3 or GTF file (plain, gzip or xz); each line is read in its own dialect.

    Exons may be given or follow from CDS and UTR lines. A CDS phase that is missing is counted along the
    transcript from its first codon; in GTF the stop codon joins the coding sequence, as in GFF3. Genes and
    transcripts whose identifier stands at several places are kept apart, each with the parts that lie in
    it. Repeats are known by their type or the program that found them.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Annotation
        Genes and repeats; ``assumptions`` counts parts without a parent, identifiers at several places
        and lines of unknown types, among others.

    Raises
    ------
    BudwoodError
        For a line that cannot be read, with its number, for a file in which most parts belong to no gene
        or transcript, and for one without any gene or repeat.
    """
    path = Path(path)
    collected = _Collected()
    for number, feature in _features(path):
        collected.add(feature, number)
    orphans = collected.lines.orphans()
    if orphans > _HALF * collected.parts:
        raise BudwoodError(
            f"{orphans:,} of {collected.parts:,} exons and coding parts belong to no gene or transcript",
            where=str(path),
            mend="give the lines of the genes and transcripts that Parent or transcript_id name",
        )
    notes: Counter[str] = Counter()
    genes = tuple(gene_models(collected.lines, notes))
    if not genes and not collected.repeats:
        raise BudwoodError(
            "the annotation holds no gene and no repeat", where=str(path), mend="give a GFF3 or GTF file"
        )
    notes["exons and coding parts that belong to no gene or transcript"] += orphans
    assumptions = {reason: count for reason, count in notes.items() if count}
    unknown = collected.unknown + collected.lines.unused()
    return Annotation(genes, tuple(collected.repeats), assumptions | _of_unknown(unknown))


def _of_unknown(types: Counter[str]) -> dict[str, int]:
    found = {
        f"lines of type {name!r}, which is not understood, left out": count
        for name, count in types.most_common(_TYPES_NAMED)
    }
    rest = sum(types.values()) - sum(found.values())
    return found | ({"lines of other types, left out": rest} if rest else {})


def _features(path: Path) -> Iterator[tuple[int, Feature]]:
    for number, line in enumerate(text_lines(path), start=1):
        if line.startswith(("##FASTA", ">")):
            return
        if not line.strip() or line.startswith(("#", "track ", "browser ")):
            continue
        where = f"{path}, line {number}"
        columns = line.split("\t")
        if len(columns) < 9:
            raise BudwoodError(
                f"the line has {counted(len(columns), 'column')}, an annotation has 9",
                where=where,
                mend="separate the columns with tabs, and name each part's transcript in the ninth",
            )
        yield number, read_feature(columns, number, where)
