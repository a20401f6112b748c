"""What `transfer evaluate` compares, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from budwood.errors import BudwoodError, shown
from budwood.panel.files import PanelFiles
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    from budwood.transfer.few_shot.design import FewShotDesign

Provenance = Literal["", "field", "controlled", "mixed"]
#: What may be said of where a side was phenotyped.
_PROVENANCES: Final[Mapping[str, Provenance]] = MappingProxyType(
    {"field": "field", "controlled": "controlled", "mixed": "mixed", "unknown": ""}
)


@dataclass(frozen=True, kw_only=True)
class SideOptions:
    """One side of a transfer: a source or the target.

    Attributes
    ----------
    files
        Genotypes, phenotypes and reference genome; None where a saved model stands for the side.
    model
        Folder of a saved trait model, whose training lines are the side; None where there are files.
    trait
        Name of the trait in the phenotypes.
    name
        What to call the side in the report and the map; a folder's or a file's name where empty.
    genes
        Places of its genes.
    scores
        Table of markers and how damaging each variant is.
    provenance
        Where the phenotypes come from; read from the phenotypes where empty.
    orthologs, blocks
        Of a source: table of its gene and the target's gene, or collinear blocks of MCScanX.
    """

    files: PanelFiles | None = None
    model: Path | None = None
    trait: str = ""
    name: str = ""
    genes: Path | None = None
    scores: Path | None = None
    provenance: Provenance = ""
    orthologs: Path | None = None
    blocks: Path | None = None

    @property
    def pairs(self) -> Path | None:
        """The file of gene pairs, of either kind."""
        return self.orthologs or self.blocks

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        model = [] if self.model is None else [self.model / "manifest.json"]
        named = [self.genes, self.scores, self.orthologs, self.blocks]
        files = self.files.inputs if self.files else []
        return [*model, *files, *(file for file in named if file is not None)]


@dataclass(frozen=True, kw_only=True)
class TransferOptions:
    """What to compare, and how.

    Attributes
    ----------
    target
        What is to be ranked.
    sources
        One or several; the stack joins them.
    reach
        Bases on either side of a gene whose markers and windows belong to it.
    sizes, draws
        Of the few-shot comparison; the sizes of the design where empty.
    encoder
        Which encoder embeds both sides where both have a reference genome.
    next_lines
        How many lines to name to be phenotyped first.
    seed
        Of draws and controls.
    """

    target: SideOptions
    sources: tuple[SideOptions, ...]
    reach: int = 25_000
    sizes: tuple[int, ...] = ()
    draws: int = 30
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    next_lines: int = 25
    seed: int = 0

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        found = [file for source in self.sources for file in source.inputs] + self.target.inputs
        return list(dict.fromkeys(found))

    def design(self) -> FewShotDesign:
        """Sizes and draws."""
        from budwood.transfer.few_shot.design import SIZES, FewShotDesign

        return FewShotDesign(sizes=self.sizes or SIZES, draws=self.draws, seed=self.seed)

    def check(self) -> None:
        """Refuse options that do not fit together, before anything is read.

        Raises
        ------
        BudwoodError
            If there is no source, a side is given twice or not at all, or orthologs lack gene tables.
        """
        if not self.sources or any((each.model is None) == (each.files is None) for each in self.sources):
            raise BudwoodError(
                "a transfer needs a source",
                where="command line",
                mend="give --source with a saved model, or --source-genotypes and --source-phenotypes",
            )
        if (self.target.model is None) == (self.target.files is None):
            raise BudwoodError(
                "a transfer needs one target",
                where="command line",
                mend="give --target-genotypes and --target-phenotypes, or --target with a saved model",
            )
        if any(each.files is not None and not each.trait for each in (*self.sources, self.target)):
            raise BudwoodError(
                "the trait is not named",
                where="command line",
                mend="give --trait, and --source-trait where a source calls it otherwise",
            )
        for source in self.sources:
            _check_genes(source, self.target)
        pairs = any(source.pairs is not None for source in self.sources)
        if self.target.genes is not None and not pairs:
            raise _no_pairs()
        if self.reach < 0 or self.next_lines < 0:
            raise BudwoodError("--reach or --next is negative", where="command line", mend="give 0 or more")
        self.design()


def _check_genes(source: SideOptions, target: SideOptions) -> None:
    if source.orthologs is not None and source.blocks is not None:
        raise BudwoodError(
            "--orthologs and --blocks exclude each other", where="command line", mend="give one of them"
        )
    if source.pairs is not None and (source.genes is None or target.genes is None):
        raise BudwoodError(
            "gene pairs need the places of both sides' genes",
            where="command line",
            mend="give --source-genes and --target-genes as well",
        )
    if source.pairs is None and source.genes is not None:
        raise _no_pairs()


def _no_pairs() -> BudwoodError:
    return BudwoodError(
        "gene tables need gene pairs",
        where="command line",
        mend="give --orthologs or --blocks as well, or leave the gene tables out",
    )


def panel_of(
    side: Literal["source", "target"],
    genotypes: Path | None,
    phenotypes: Path | None,
    reference: Path | None,
    marker_map: Path | None,
) -> PanelFiles | None:
    """Files of one side; None where a saved model stands for it.

    Parameters
    ----------
    side
        Which, for messages.
    genotypes, phenotypes, reference, marker_map
        As :class:`~budwood.panel.files.PanelFiles` has them.

    Raises
    ------
    BudwoodError
        If there are others without genotypes: a saved model holds its own, and they would go unread.
    """
    if genotypes is not None:
        return PanelFiles(
            genotypes=genotypes, phenotypes=phenotypes, reference=reference, marker_map=marker_map
        )
    for name, given in (("phenotypes", phenotypes), ("reference", reference), ("map", marker_map)):
        if given is not None:
            raise BudwoodError(
                f"--{side}-{name} belongs to a panel, but --{side}-genotypes is not given",
                where="command line",
                mend=f"give --{side}-genotypes as well, or leave --{side}-{name} out",
            )
    return None


def stated_provenance(word: str | None, option: str) -> Provenance:
    """Where phenotypes come from, as a user says it; empty where nothing or ``unknown`` is said.

    Parameters
    ----------
    word
        As typed; None for nothing.
    option
        The option it was given to, for messages.

    Raises
    ------
    BudwoodError
        If it is not known.

    Examples
    --------
    >>> stated_provenance("field", "--target-provenance"), stated_provenance("unknown", "--target-provenance")
    ('field', '')
    """
    if word is None:
        return ""
    if word not in _PROVENANCES:
        raise BudwoodError(
            f"the provenance {shown(word)} is not possible",
            where=option,
            mend=f"choose from {', '.join(_PROVENANCES)}",
        )
    return _PROVENANCES[word]
