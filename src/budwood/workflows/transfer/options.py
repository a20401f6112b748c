"""What `transfer evaluate` compares, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    from budwood.transfer.few_shot.design import FewShotDesign

Provenance = Literal["", "field", "controlled", "mixed"]


@dataclass(frozen=True, kw_only=True)
class SideOptions:
    """One side of a transfer: the source or the target.

    Attributes
    ----------
    files
        Genotypes, phenotypes and reference genome; None where a saved model stands for the side.
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
    """

    files: PanelFiles | None
    trait: str
    name: str = ""
    genes: Path | None = None
    scores: Path | None = None
    provenance: Provenance = ""

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        named = [self.genes, self.scores]
        return [*(self.files.inputs if self.files else []), *(file for file in named if file is not None)]


@dataclass(frozen=True, kw_only=True)
class TransferOptions:
    """What to compare, and how.

    Attributes
    ----------
    model
        Folder of a saved trait model; its training lines are the source.
    source, target
        Both sides.
    orthologs
        Table of the source's gene and the target's gene.
    blocks
        Collinear blocks of MCScanX.
    reach
        Bases on either side of a gene whose markers belong to it.
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
    source: SideOptions
    model: Path | None = None
    orthologs: Path | None = None
    blocks: Path | None = None
    reach: int = 25_000
    sizes: tuple[int, ...] = ()
    draws: int = 30
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    next_lines: int = 25
    seed: int = 0

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        pairs = [file for file in (self.orthologs, self.blocks) if file is not None]
        model = [] if self.model is None else [self.model / "manifest.json"]
        return [*model, *self.source.inputs, *self.target.inputs, *pairs]

    def design(self) -> FewShotDesign:
        """Sizes and draws."""
        from budwood.transfer.few_shot.design import SIZES, FewShotDesign

        return FewShotDesign(sizes=self.sizes or SIZES, draws=self.draws, seed=self.seed)

    def check(self) -> None:
        """Refuse options that do not fit together, before anything is read.

        Raises
        ------
        BudwoodError
            If there are two sources or none, or orthologs lack gene tables.
        """
        if (self.model is None) == (self.source.files is None):
            raise BudwoodError(
                "a transfer needs one source",
                where="command line",
                mend="give --source with a saved model, or --source-genotypes and --source-phenotypes",
            )
        if self.orthologs is not None and self.blocks is not None:
            raise BudwoodError(
                "--orthologs and --blocks exclude each other", where="command line", mend="give one of them"
            )
        pairs = self.orthologs or self.blocks
        if pairs is not None and (self.source.genes is None or self.target.genes is None):
            raise BudwoodError(
                "gene pairs need the places of both sides' genes",
                where="command line",
                mend="give --source-genes and --target-genes as well",
            )
        if pairs is None and (self.source.genes is not None or self.target.genes is not None):
            raise BudwoodError(
                "gene tables need gene pairs",
                where="command line",
                mend="give --orthologs or --blocks as well, or leave the gene tables out",
            )
        if self.reach < 0 or self.next_lines < 0:
            raise BudwoodError("--reach or --next is negative", where="command line", mend="give 0 or more")
        self.design()
