"""Files given for one another are named."""

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.panel.example import write_example
from budwood.panel.files import PanelFiles, read_panel


@pytest.fixture
def files(tmp_path):
    return write_example(tmp_path)


def test_swapped_genotypes_and_phenotypes_are_named(files, tmp_path) -> None:
    with pytest.raises(BudwoodError, match="swap --genotypes and --phenotypes"):
        read_panel(PanelFiles(genotypes=files.phenotypes, phenotypes=files.genotypes), "height")
    dosages = tmp_path / "dosages.csv"
    header = ",".join(["accession", *(f"m{j}" for j in range(40))])
    rows = [",".join([f"l{i}", *(str((i * j + j) % 3) for j in range(40))]) for i in range(20)]
    dosages.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(BudwoodError, match="swap --genotypes and --phenotypes"):
        read_panel(PanelFiles(genotypes=files.phenotypes, phenotypes=dosages), "height")


def test_sequence_or_genotypes_as_phenotypes_are_named(files) -> None:
    for given, words in ((files.reference, "FASTA.*--reference"), (files.genotypes, "VCF")):
        with pytest.raises(BudwoodError, match=f"no table of trait values but {words}"):
            read_panel(PanelFiles(genotypes=files.genotypes, phenotypes=given), "height")


def test_words_among_tracks_stand_for_predictions(tmp_path: Path) -> None:
    reference = tmp_path / "genome.fa"
    words = ("predicted", "open.bed", "predicted:LTR/Gypsy", "predicted")
    files = PanelFiles(
        genotypes=tmp_path / "a.vcf", reference=reference, tracks=tuple(Path(word) for word in words)
    )
    assert files.predicted_tracks == ("open chromatin", "LTR/Gypsy")
    assert files.track_files == (Path("open.bed"),)
    assert Path("predicted") not in files.inputs
    with pytest.raises(BudwoodError, match="need a reference genome"):
        PanelFiles(genotypes=tmp_path / "a.vcf", tracks=(Path("predicted"),))
    with pytest.raises(BudwoodError, match="predicted by predict and evaluate alone"):
        read_panel(files)
