"""Genes put together from the lines of an annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from budwood.genomics.annotation.genes import CodingPart, Gene, Span, Transcript, joined
from budwood.genomics.io.annotation.feature import CODING, EXON, Feature

# Products of a transcript, and what belongs to a part rather than to a gene.
_NO_TRANSCRIPT: Final = frozenset({"protein", "polypeptide"})
# Attributes that name a biotype, and types of lines that name none.
_TRANSCRIPT_BIOTYPE: Final = ("biotype", "transcript_biotype", "transcript_type")
_GENE_BIOTYPE: Final = ("biotype", "gene_biotype", "gene_type")
_GENERAL: Final = frozenset({"gene", "transcript", "mrna"})


@dataclass
class GeneLines:
    """Lines that may make genes.

    Attributes
    ----------
    nodes
        Lines with an identifier; those of one identifier at several places in file order.
    parts
        Exons, UTRs and coding parts by the identifier of their parent.
    nameless
        Number of parts that name no parent and have no identifier.
    """

    nodes: dict[str, list[Feature]] = field(default_factory=dict)
    parts: dict[str, list[Feature]] = field(default_factory=dict)
    nameless: int = 0

    def add_node(self, feature: Feature) -> None:
        """Add a line with an identifier; of lines that are pieces of one feature, the first.

        Parameters
        ----------
        feature
            The line.
        """
        known = self.nodes.setdefault(feature.key, [])
        if not known or not ("part" in feature.attributes or any(_same_place(feature, n) for n in known)):
            known.append(feature)

    def orphans(self) -> int:
        """Number of parts whose parents have no line, in a dialect whose parents have one, or no name.

        Returns
        -------
        int
            Number of such parts.
        """
        missing: set[int] = set()
        for key, parts in self.parts.items():
            missing.update(
                id(part)
                for part in parts
                if key not in self.nodes and "Parent" in part.attributes and not self._has_parent(part)
            )
        return len(missing) + self.nameless

    def _has_parent(self, part: Feature) -> bool:
        return any(parent in self.nodes for parent in part.parents)

    def unused(self) -> Counter[str]:
        """Types of lines that are no gene and have neither parts nor anything else below them.

        Returns
        -------
        Counter
            Number of lines by type.
        """
        named = {parent for nodes in self.nodes.values() for node in nodes for parent in node.parents}
        return Counter(
            node.kind
            for key, nodes in self.nodes.items()
            for node in nodes
            if key not in self.parts
            and key not in named
            and not node.parents
            and not node.kind.lower().endswith("gene")
            and node.kind.lower() not in _NO_TRANSCRIPT
        )


@dataclass
class _Resolved:
    """Lines with an identifier of their own for each place."""

    nodes: dict[str, Feature] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    copies: dict[str, list[tuple[str, Feature]]] = field(default_factory=dict)

    def key(self, key: str, feature: Feature) -> str:
        """The identifier, at the place a feature lies in."""
        copies = self.copies.get(key)
        if copies is None:
            return key
        best = min(copies, key=lambda copy: _distance(copy[1], feature))
        return best[0]


def gene_models(lines: GeneLines, notes: Counter[str]) -> Iterator[Gene]:
    """Put genes together, in file order: those with a line of their own, then those known by parts alone.

    Parameters
    ----------
    lines
        Everything the file says of genes.
    notes
        Counts what is assumed or left out, by reason.

    Yields
    ------
    Gene
        With its transcripts.
    """
    resolved = _resolve(lines, notes)
    nodes = resolved.nodes
    members: dict[str, list[tuple[Feature, Transcript]]] = {
        key: [] for key, node in nodes.items() if node.kind.lower().endswith("gene") and not node.parents
    }
    for key, parts in _parts(lines, resolved).items():
        node = nodes.get(key)
        if node is not None and node.kind.lower() in _NO_TRANSCRIPT:
            continue
        if len({(part.contig, part.strand) for part in parts}) > 1:
            notes["transcripts on two strands or contigs, left out"] += 1
            continue
        owner = _gene_of(resolved, key, parts[0])
        biotype = _biotype(node, parts, nodes.get(owner))
        transcript = _transcript(resolved.names.get(key, _bare(key)), parts, biotype, notes)
        members.setdefault(owner, []).append((parts[0], transcript))
    for key, found in members.items():
        yield _gene(resolved.names.get(key, _bare(key)), nodes.get(key), found, notes)


def _resolve(lines: GeneLines, notes: Counter[str]) -> _Resolved:
    found = _Resolved()
    for key, copies in lines.nodes.items():
        if len(copies) == 1:
            found.nodes[key] = copies[0]
            continue
        notes["genes and transcripts whose identifier stands at several places, kept apart"] += len(copies)
        named = [(key if number == 1 else f"{key}#{number}", f) for number, f in enumerate(copies, start=1)]
        found.copies[key] = named
        found.nodes |= dict(named)
        found.names |= {own: _bare(own) for own, _ in named}
    return found


def _parts(lines: GeneLines, resolved: _Resolved) -> dict[str, list[Feature]]:
    if not resolved.copies:
        return lines.parts
    found: dict[str, list[Feature]] = {}
    for key, parts in lines.parts.items():
        for part in parts:
            found.setdefault(resolved.key(key, part), []).append(part)
    return found


def _same_place(one: Feature, other: Feature) -> bool:
    same = (one.contig, one.strand) == (other.contig, other.strand)
    return same and one.start < other.end and other.start < one.end


def _distance(node: Feature, feature: Feature) -> tuple[bool, bool, int]:
    """How far a feature lies from a line: another contig, another strand, bases between them."""
    gap = max(node.start - feature.start, feature.end - node.end, 0)
    return node.contig != feature.contig, node.strand != feature.strand, gap


def _gene_of(resolved: _Resolved, key: str, part: Feature) -> str:
    """Key of the topmost ancestor, or the gene that a GTF line names itself."""
    nodes = resolved.nodes
    visited = {key}
    while key in nodes and nodes[key].parents:
        above = resolved.key(nodes[key].parents[0], part)
        if above in visited:
            break
        key = above
        visited.add(key)
    if part.gene and not (key in nodes and nodes[key].kind.lower().endswith("gene")):
        return resolved.key(part.gene, part)
    return key


def _gene(
    name: str, own: Feature | None, found: list[tuple[Feature, Transcript]], notes: Counter[str]
) -> Gene:
    """A gene from its own line (where there is one) and its transcripts, each with one of its parts."""
    place = found[0][0] if found else own
    assert place is not None
    kept = [t for part, t in found if (part.contig, part.strand) == (place.contig, place.strand)]
    notes["transcripts apart from the first of their gene, left out"] += len(found) - len(kept)
    if place.strand == "." and any(t.cds for t in kept):
        notes["coding genes without a strand, coding sequence left out"] += 1
        kept = [Transcript(t.name, t.exons, biotype=t.biotype) for t in kept]
    spans = [(t.exons[0].start, t.exons[-1].end) for t in kept]
    if own is not None and own.contig == place.contig:
        spans.append((own.start, own.end))
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    return Gene(name, place.contig, start, end, place.strand, tuple(kept))


def _biotype(node: Feature | None, parts: list[Feature], gene: Feature | None) -> str:
    """The transcript's own biotype or type, else that of its gene, else what its parts tell."""
    named = _attribute((node, parts[0]), _TRANSCRIPT_BIOTYPE)
    if named:
        return named
    if node is not None and node.kind.lower() not in _GENERAL:
        return node.kind
    coding = "protein_coding" if any(part.kind.lower() in CODING for part in parts) else ""
    return _attribute((gene, parts[0]), _GENE_BIOTYPE) or coding


def _attribute(lines: tuple[Feature | None, ...], keys: tuple[str, ...]) -> str:
    """The first of some attributes that a line has; Ensembl Plants writes them with a capital letter."""
    for line in lines:
        for key in keys:
            found = line and (line.attributes.get(key) or line.attributes.get(key.capitalize()))
            if found:
                return found
    return ""


def _transcript(name: str, parts: list[Feature], biotype: str, notes: Counter[str]) -> Transcript:
    if not any(part.kind.lower() in EXON for part in parts):
        notes["transcripts whose exons follow from their CDS and UTR lines"] += 1
    exons = joined(Span(part.start, part.end) for part in parts)
    return Transcript(name, exons, _coding_parts(parts, notes), biotype)


def _coding_parts(parts: list[Feature], notes: Counter[str]) -> tuple[CodingPart, ...]:
    backwards = parts[0].strand == "-"
    coding = [part for part in parts if part.kind.lower() in CODING]
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


def _joins(before: CodingPart, part: Feature) -> bool:
    """Whether a part overlaps the one before it, or is the stop codon right behind it."""
    gap = max(before.start, part.start) - min(before.end, part.end)
    return gap < 0 or (gap == 0 and part.kind.lower() == "stop_codon")


def _bare(key: str) -> str:
    """An identifier without the prefix of its kind (that of Ensembl, or of GTF lines)."""
    for prefix in ("gene:", "transcript:", "CDS:"):
        key = key.removeprefix(prefix)
    return key
