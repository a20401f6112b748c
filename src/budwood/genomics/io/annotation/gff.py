"""GFF3 and GTF files as an Annotation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Repeat, Span, Transcript, joined
from budwood.genomics.io.text.delimited import text_lines

_EXON: Final = frozenset({"exon", "pseudogenic_exon"})
_UTR: Final = frozenset({"utr", "five_prime_utr", "three_prime_utr", "5utr", "3utr"})
_CODING: Final = frozenset({"cds", "stop_codon"})
_PARTS: Final = _EXON | _UTR | _CODING
# Products of a transcript, and what belongs to a part rather than to a gene.
_NO_TRANSCRIPT: Final = frozenset(
    {"protein", "polypeptide", "start_codon", "intron", "stop_codon_read_through"}
)
_REPEAT: Final = re.compile(
    r"repeat|transpos|helitron|satellite|_line_|_sine_|^(line|sine)_element|_tir_|^mite$", re.IGNORECASE
)
# Pieces of a repeat whose whole has a line of its own.
_REPEAT_PIECE: Final = frozenset(
    {"long_terminal_repeat", "target_site_duplication", "primer_binding_site", "transposon_fragment"}
)
_CLASS_KEYS: Final = ("classification", "class", "superfamily", "family", "repeat_class", "alias", "name")
_GTF_ATTRIBUTE: Final = re.compile(r'\s*([\w.-]+)\s+(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))\s*(?:;|$)')


class _Feature(NamedTuple):
    """One line, coordinates 0-based and half-open."""

    contig: str
    kind: str
    start: int
    end: int
    strand: str
    phase: int | None
    key: str
    parents: tuple[str, ...]
    attributes: dict[str, str]


@dataclass
class _Collected:
    """What has been read so far; lines may come in any order, so nothing is put together yet."""

    nodes: dict[str, _Feature] = field(default_factory=dict)
    parts: dict[str, list[_Feature]] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)
    assumptions: Counter[str] = field(default_factory=Counter)


def read_gff(path: Path) -> Annotation:
    """Read a GFF3 or GTF file (plain, gzip or xz), told apart by their attributes.

    Exons may be given or follow from CDS and UTR lines. A CDS phase that is missing is counted along the
    transcript from its first codon; in GTF the stop codon joins the coding sequence, as in GFF3.

    Raises
    ------
    BudwoodError
        For a line that cannot be read, with its number, and for a file without any gene or repeat.
    """
    path = Path(path)
    collected = _Collected()
    for feature in _features(path):
        _collect(collected, feature)
    genes = tuple(_genes(collected))
    if not genes and not collected.repeats:
        raise BudwoodError(
            "the annotation holds no gene and no repeat", where=str(path), mend="give a GFF3 or GTF file"
        )
    assumptions = {reason: count for reason, count in collected.assumptions.items() if count}
    return Annotation(genes, tuple(collected.repeats), assumptions)


def _features(path: Path) -> Iterator[_Feature]:
    is_gtf: bool | None = None
    for number, line in enumerate(text_lines(path), start=1):
        if line.startswith(("##FASTA", ">")):
            return
        if not line.strip() or line.startswith(("#", "track ", "browser ")):
            continue
        where = f"{path}, line {number}"
        columns = line.split("\t")
        if len(columns) < 9:
            raise BudwoodError(
                f"the line has {len(columns)} columns, an annotation has 9",
                where=where,
                mend="separate the columns with tabs",
            )
        if is_gtf is None:
            is_gtf = _GTF_ATTRIBUTE.match(columns[8]) is not None
        yield _feature(columns, is_gtf, number, where)


def _feature(columns: list[str], is_gtf: bool, number: int, where: str) -> _Feature:
    contig, _, kind, first, last, _, strand, phase, text = columns[:9]
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise BudwoodError(
            f"start {first!r} and end {last!r} are no positions",
            where=where,
            mend="write whole numbers, 1 <= start <= end",
        )
    if strand not in ("+", "-", ".", "?") or phase not in ("0", "1", "2", "."):
        raise BudwoodError(
            f"strand {strand!r} or phase {phase!r} is not valid",
            where=where,
            mend="write + or - or . as the strand and 0, 1, 2 or . as the phase",
        )
    key, parents, attributes = (_gtf_links if is_gtf else _gff3_links)(kind.lower(), text, number)
    frame = None if phase == "." else int(phase)
    place = (unquote(contig), kind, int(first) - 1, int(last), strand if strand in "+-" else ".")
    return _Feature(*place, frame, key, parents, attributes)


def _gff3_links(kind: str, text: str, number: int) -> tuple[str, tuple[str, ...], dict[str, str]]:
    pairs = (item.split("=", 1) for item in text.split(";") if "=" in item)
    attributes = {name.strip(): value.strip().strip('"') for name, value in pairs}
    parents = tuple(unquote(name) for name in attributes.get("Parent", "").split(",") if name)
    key = unquote(attributes.get("ID", ""))
    if kind in _PARTS and not parents:
        # Parts of one coding sequence without a parent share their ID.
        parents = (key or f"{kind} of line {number}",)
    return key, parents, attributes


def _gtf_links(kind: str, text: str, number: int) -> tuple[str, tuple[str, ...], dict[str, str]]:
    attributes = {m[1]: m[2] if m[2] is not None else m[3] for m in _GTF_ATTRIBUTE.finditer(text)}
    # A gene and its transcript may bear the same id; the prefixes keep them apart and are taken off later.
    gene = f"gene:{attributes['gene_id']}" if attributes.get("gene_id") else ""
    transcript = f"transcript:{attributes['transcript_id']}" if attributes.get("transcript_id") else ""
    if kind in _PARTS:
        return "", (transcript or gene or f"{kind} of line {number}",), attributes | {"gene": gene}
    if "gene" in kind:
        return gene, (), attributes
    if kind.endswith(("transcript", "rna")):
        return transcript, (gene,) if gene else (), attributes
    # Start codons and the like bear their transcript's id without being one.
    return "", (), attributes


def _collect(collected: _Collected, feature: _Feature) -> None:
    kind = feature.kind.lower()
    if kind in _PARTS:
        for parent in feature.parents:
            collected.parts.setdefault(parent, []).append(feature)
    elif _REPEAT.search(kind) and not kind.endswith("gene"):
        if kind not in _REPEAT_PIECE:
            collected.repeats.append(_repeat(feature))
    elif feature.key:
        # A gene split over several lines keeps its first.
        collected.nodes.setdefault(feature.key, feature)


def _repeat(feature: _Feature) -> Repeat:
    lowered = {name.lower(): value for name, value in feature.attributes.items()}
    named = next((unquote(lowered[key]) for key in _CLASS_KEYS if lowered.get(key)), feature.kind)
    name = unquote(lowered.get("id", "") or lowered.get("name", ""))
    return Repeat(feature.contig, feature.start, feature.end, feature.strand, name, named)


def _genes(collected: _Collected) -> Iterator[Gene]:
    """Genes in file order: those with a line of their own, then those that only their parts tell of."""
    notes = collected.assumptions
    members: dict[str, list[tuple[_Feature, Transcript]]] = {
        key: []
        for key, node in collected.nodes.items()
        if node.kind.lower().endswith("gene") and not node.parents
    }
    for key, parts in collected.parts.items():
        node = collected.nodes.get(key)
        if node is not None and node.kind.lower() in _NO_TRANSCRIPT:
            continue
        if len({(part.contig, part.strand) for part in parts}) > 1:
            notes["transcripts on two strands or contigs, left out"] += 1
            continue
        transcript = _transcript(_bare(key), parts, notes)
        members.setdefault(_gene_of(collected.nodes, key, parts[0]), []).append((parts[0], transcript))
    for key, found in members.items():
        yield _gene(_bare(key), collected.nodes.get(key), found, notes)


def _gene_of(nodes: dict[str, _Feature], key: str, part: _Feature) -> str:
    """Key of the topmost ancestor, or the gene a GTF line names itself."""
    visited = {key}
    while key in nodes and nodes[key].parents and nodes[key].parents[0] not in visited:
        key = nodes[key].parents[0]
        visited.add(key)
    return key if key in nodes else part.attributes.get("gene") or key


def _gene(
    name: str, own: _Feature | None, found: list[tuple[_Feature, Transcript]], notes: Counter[str]
) -> Gene:
    """A gene from its own line (where there is one) and its transcripts, each with one of its parts."""
    place = found[0][0] if found else own
    assert place is not None
    kept = [t for part, t in found if (part.contig, part.strand) == (place.contig, place.strand)]
    notes["transcripts apart from the first of their gene, left out"] += len(found) - len(kept)
    if place.strand == "." and any(t.cds for t in kept):
        notes["coding genes without a strand, coding sequence left out"] += 1
        kept = [Transcript(t.name, t.exons) for t in kept]
    spans = [(t.exons[0].start, t.exons[-1].end) for t in kept]
    if own is not None and own.contig == place.contig:
        spans.append((own.start, own.end))
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    return Gene(name, place.contig, start, end, place.strand, tuple(kept))


def _transcript(name: str, parts: list[_Feature], notes: Counter[str]) -> Transcript:
    if not any(part.kind.lower() in _EXON for part in parts):
        notes["transcripts whose exons follow from their CDS and UTR lines"] += 1
    exons = joined(Span(part.start, part.end) for part in parts)
    return Transcript(name, exons, _coding_parts(parts, notes))


def _coding_parts(parts: list[_Feature], notes: Counter[str]) -> tuple[CodingPart, ...]:
    backwards = parts[0].strand == "-"
    coding = [part for part in parts if part.kind.lower() in _CODING]
    coding.sort(key=lambda p: (-p.end, -p.start) if backwards else (p.start, p.end))
    found: list[CodingPart] = []
    for part in coding:
        before = found[-1] if found else None
        if before is not None and _joins(before, part):
            notes["coding parts that overlap, joined"] += part.kind.lower() != "stop_codon"
            start, end = min(before.start, part.start), max(before.end, part.end)
            found[-1] = CodingPart(start, end, before.phase)
            continue
        counted = (before.phase - before.end + before.start) % 3 if before else 0
        if part.phase is None:
            notes["coding parts whose phase was counted from the start codon"] += 1
        elif before is not None and part.phase != counted:
            notes["coding parts whose phase does not continue the part before"] += 1
        found.append(CodingPart(part.start, part.end, counted if part.phase is None else part.phase))
    return tuple(sorted(found))


def _joins(before: CodingPart, part: _Feature) -> bool:
    """Whether a part overlaps the one before it, or is the stop codon right behind it."""
    gap = max(before.start, part.start) - min(before.end, part.end)
    return gap < 0 or (gap == 0 and part.kind.lower() == "stop_codon")


def _bare(key: str) -> str:
    """An identifier without the prefix that tells what it is (Ensembl's, or that of :func:`_gtf_links`)."""
    for prefix in ("gene:", "transcript:", "CDS:"):
        key = key.removeprefix(prefix)
    return key
