"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from budwood.cli.app import main
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig


@dataclass(frozen=True)
class Ran:
    """How a command left and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``budwood`` with the given words in this process."""

    def run_words(*words: object) -> Ran:
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return run_words


@pytest.fixture
def refused(run: Callable[..., Ran], tmp_path: Path) -> Callable[..., str]:
    """Run a command that must refuse its input: exit code 2, one sentence, and nothing written to --out."""

    def run_refused(*words: object) -> str:
        out = tmp_path / "refused"
        ran = run(*words, "--out", out)
        assert ran.code == 2, ran
        assert ran.out == ""
        told = [line for line in ran.err.splitlines() if not line.startswith("estimate: ")]
        assert len(told) == 1, told
        assert told[0].startswith("error: ")
        assert told[0].endswith(".")
        assert not list(tmp_path.glob("*refused*"))
        return told[0]

    return run_refused


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained encoder that is small enough to be quick."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    random_checkpoint(shape, seed=1).encoder.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class PanelFiles:
    """Files of a small panel: 48 lines of four families, 36 of them with a height."""

    folder: Path
    genotypes: Path
    phenotypes: Path
    reference: Path

    def words(self, trait: str = "height") -> list[str]:
        """Options that name genotypes, phenotypes and trait."""
        named = {"--genotypes": self.genotypes, "--phenotypes": self.phenotypes, "--trait": trait}
        return [str(word) for pair in named.items() for word in pair]


LINES = [f"line{i:02d}" for i in range(48)]


@pytest.fixture
def panel(tmp_path: Path) -> PanelFiles:
    """A panel whose alleles fit its reference; line00 to line35 have a height."""
    rng = np.random.default_rng(5)
    letters = rng.choice(list("ACGT"), 6_000)
    positions = np.sort(rng.choice(5_900, 120, replace=False))
    families = rng.uniform(0.1, 0.9, (4, len(positions)))
    carried = rng.random((48, len(positions))) < families[np.arange(48) % 4]
    height = 100 + carried @ rng.normal(size=len(positions)) + rng.normal(size=48)
    files = PanelFiles(tmp_path, *(tmp_path / name for name in ("panel.vcf", "traits.csv", "genome.fa")))
    files.reference.write_text(f">chr1\n{''.join(letters)}\n")
    rows = [f"{name},{value:.3f},ok\n" for name, value in zip(LINES, height, strict=True)]
    files.phenotypes.write_text("accession,height,note\n" + "".join(rows[:36]))
    header = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *LINES]
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr1,length=6000>", "\t".join(header)]
    for j, position in enumerate(positions):
        ref = letters[position]
        alt = "G" if ref == "A" else "A"
        calls = ["1|1" if carries else "0|0" for carries in carried[:, j]]
        lines.append("\t".join(["chr1", str(position + 1), f"m{j}", ref, alt, ".", ".", ".", "GT", *calls]))
    files.genotypes.write_text("\n".join(lines) + "\n")
    return files
