"""Which lines of an annotation are repeats, and of which class."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from budwood.genomics.annotation.genes import Repeat
from budwood.genomics.io.annotation.feature import Feature

# Terms of the Sequence Ontology, as EDTA, RepeatMasker's GFF3 and genome browsers write them.
_TERM: Final = re.compile(
    r"repeat|transpos|helitron|satellite|(^|_)(line|sine|tir|mite|trim|lard|ltr)(_|$)|retrovirus|polinton|"
    r"maverick|low_complexity|^knob|inverted_duplication",
    re.IGNORECASE,
)
# Classes as older EDTA, RepeatMasker and RepeatModeler write them in the type column: LTR/Copia, DNA/DTA.
_CLASS: Final = re.compile(
    r"(ltr|dna|dnaauto|dnanona|mite|line|sine|tir|nontir|rc|retro|retroposon|retrotransposon|nonltr|ple|dirs|yr|"
    r"rathe|centro|subtelo|pararetrovirus|evirus|satellite|simple_repeat|low_complexity|unknown|unspecified|"
    r"other|unclassified|class[ _]?i{1,2})(/\S*)?",
    re.IGNORECASE,
)
# Programs that find repeats: whatever they list is one.
_SOURCE: Final = re.compile(
    r"repeat_?masker|repeat_?modeler|repeat_?scout|repet|edta|mite[-_]?hunter|mite[-_]?tracker|ltr_?retriever|"
    r"ltr_?finder.*|ltr_?harvest|ltr_?digest|helitron_?scanner|tir[-_]?learner|sine[-_]?finder|annosine|"
    r"trf|tandemrepeatsfinder|dust|dustmasker|windowmasker|red|earlgrey|tesorter|pastec",
    re.IGNORECASE,
)
#: Pieces of a repeat whose whole has a line of its own.
_PIECES: Final = frozenset(
    {
        *("long_terminal_repeat", "target_site_duplication", "primer_binding_site", "transposon_fragment"),
        *(
            "terminal_inverted_repeat",
            "rr_tract",
            "protein_match",
            "polypurine_tract",
            "inverted_repeat_piece",
        ),
    }
)
_CLASS_KEYS: Final = ("classification", "class", "superfamily", "family", "repeat_class", "alias", "name")
# RepeatMasker's GFF2: Target "Motif:ATCOPIA24" 1 100, in GFF3 Target=ATCOPIA24 1 100.
_TARGET: Final = re.compile(r"(?:Motif:)?(\S+)")


def is_repeat(feature: Feature) -> bool:
    """Whether a line is a repeat or a piece of one.

    It is by its type, a term of the Sequence Ontology or a class such as ``LTR/Copia``, by a class in place
    of its identifier, or by the program that found it. Genes of transposons are genes.

    Parameters
    ----------
    feature
        The line.

    Returns
    -------
    bool
        True for a repeat and for a piece of one.
    """
    kind = feature.kind.lower()
    if feature.is_part or kind.endswith(("gene", "mrna", "transcript")):
        return False
    name = feature.attributes.get("ID", "")
    return bool(
        ("/" in name and _CLASS.fullmatch(name))
        or _TERM.search(kind)
        or _CLASS.fullmatch(kind)
        or kind in _PIECES
        or _SOURCE.fullmatch(feature.source.strip())
    )


def repeat_of(feature: Feature) -> Repeat | None:
    """The repeat of a line, None for a piece of one that has a line of its own.

    Parameters
    ----------
    feature
        A line for which :func:`is_repeat` is true.

    Returns
    -------
    Repeat or None
        Place, name and class.
    """
    kind = feature.kind.lower()
    if kind in _PIECES:
        return None
    lowered = {name.lower(): value for name, value in feature.attributes.items()}
    target = _TARGET.match(lowered.get("target", ""))
    name = unquote(lowered.get("id", "") or lowered.get("name", "") or (target[1] if target else ""))
    named = next((unquote(lowered[key]) for key in _CLASS_KEYS if lowered.get(key)), "")
    if not named and "/" in name and _CLASS.fullmatch(name):
        named = name
    if _CLASS.fullmatch(kind) and ("/" in kind or not named):
        named = feature.kind
    named = named or (target[1] if target else feature.kind)
    return Repeat(feature.contig, feature.start, feature.end, feature.strand, name, named)
