"""What a recipe names is opened: genomes or a corpus, and alignments without the species left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.artifacts import read_manifest
from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.sampling.genome import TRACKED
from budwood.corpus.sampling.sampler import SamplerConfig, WindowSampler
from budwood.corpus.stages.build import build_corpus
from budwood.errors import BudwoodError
from budwood.training.data.sources import load_alignments, load_source, open_training_data
from budwood.training.loop.pretrain import pretrain
from budwood.training.recipe.recipe import AlignmentSource, GenomeSource, read_recipe
from budwood.training.recipe.recipe_check import check_recipe
from corpus.genomes import write_genomes

TRAINING = """
name = "from-corpus"
[corpus]
folder = "{folder}"
{weights}
[encoder]
stem_channels = 8
hidden_size = 16
layers = 1
heads = 2
[sampler]
window = 128
[schedule]
steps = 2
batch = 4
validate_every = 2
validation_batches = 2
precision = "no"
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("genomes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUDWOOD_CACHE", str(folder / "cache"))
        return build_corpus(read_corpus_recipe(write_genomes(folder)), folder / "corpus", show=False)


def recipe(tmp_path: Path, corpus: Path, weights: str = ""):
    path = tmp_path / "recipe.toml"
    path.write_text(TRAINING.format(folder=corpus, weights=weights))
    return read_recipe(path)


def test_a_corpus_is_trained_from_and_named_in_the_manifest(tmp_path: Path, corpus: Path) -> None:
    folder = pretrain(recipe(tmp_path, corpus), tmp_path / "out", show=False)
    manifest = read_manifest(folder)
    assert [entry["name"] for entry in manifest["inputs"]] == ["manifest.json"]
    assert "base_cross_entropy/Alpha una" in (tmp_path / "out/training/log.jsonl").read_text()
    assert (tmp_path / "out/training/curve.svg").is_file()


def test_weights_of_the_recipe_take_the_place_of_the_corpus_balance(tmp_path: Path, corpus: Path) -> None:
    sources = open_training_data(recipe(tmp_path, corpus, 'weights = {"Beta una" = 1.0}'))
    drawn = {sources.species[number] for number in sources.training.batch(0, 30).species}
    assert drawn == {"Beta una"}


def test_a_recipe_may_train_on_a_fixed_number_of_windows(tmp_path: Path, corpus: Path) -> None:
    few = open_training_data(recipe(tmp_path, corpus, 'windows = 3\nweights = {"Beta una" = 1.0}')).training
    many = open_training_data(recipe(tmp_path, corpus, 'weights = {"Beta una" = 1.0}')).training
    assert len(few.rows) == 3
    assert set(few.rows.tolist()) < set(many.rows.tolist())


def test_species_that_are_left_out_stand_in_no_alignment(tmp_path: Path) -> None:
    names = ("Arabidopsis_thaliana|x", "Oryza_sativa|y", "Zea_mays|z", "Oryzopsis_sp|w")
    (tmp_path / "a.fa").write_text("".join(f">{name}\nACGT\n" for name in names))
    (tmp_path / "b.maf").write_text("a\ns Oryza.c 0 2 + 9 AC\ns Zea.c 0 2 + 9 AC\n")
    files = (str(tmp_path / "a.fa"), str(tmp_path / "b.maf"))
    found = load_alignments(AlignmentSource(files, exclude=("Arabidopsis", "Oryza")))
    assert [alignment.species for alignment in found] == [("Zea mays", "Oryzopsis sp"), ("Zea",)]


def test_a_folder_that_is_no_corpus_is_told(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=str(tmp_path)):
        open_training_data(recipe(tmp_path, tmp_path))


def test_tracks_of_a_genome_are_bits_of_the_recipe_and_turn_with_the_strand(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">one\n" + "ACGT" * 100 + "\n>two\n" + "ACGT" * 100 + "\n")
    (tmp_path / "open.bed").write_text("one\t10\t20\n")
    (tmp_path / "repeat.gff3").write_text("one\t.\ttransposon\t16\t400\t.\t+\t.\tID=x\n")
    files = {"open": str(tmp_path / "open.bed"), "repeat": str(tmp_path / "repeat.gff3")}
    source = GenomeSource("x", str(tmp_path / "a.fa"), tracks=files, smoothing=0.1)
    genome = load_source(source, ("other", "open", "repeat"))
    one, two = genome.training
    known = 0b110 << TRACKED  # the recipe's first track is one of another genome
    assert one.tracks[[0, 10, 15, 20, 399]].tolist() == [known, known | 2, known | 6, known | 4, known | 4]
    assert not two.tracks.any()  # no interval names it, so nothing is known of it
    assert not load_source(source).training[0].tracks.any()
    sampler = WindowSampler([genome], [1.0], SamplerConfig(window=400), seed=1)
    batch = sampler.batch(0, 8)
    assert batch.smoothing.tolist() == pytest.approx([0.1] * 8)
    for row in batch.tracks[batch.tracks.any(1)].tolist():
        assert row in (one.tracks.tolist(), one.tracks[::-1].tolist())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("[objective]\ntrack_weight = 1.0", "names none"),
        ('[[genome]]\nspecies = "y"\nfasta = "y.fa"\nsmoothing = 1.0', "smoothing is 1.0"),
        (
            '[[genome]]\nspecies = "y"\nfasta = "y.fa"\n[genome.tracks]\n'
            + "\n".join(f't{k} = "t.bed"' for k in range(16)),
            "16 interval tracks",
        ),
    ],
)
def test_labels_that_no_training_can_have_are_refused(tmp_path: Path, changed: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        f'name = "x"\n[[genome]]\nspecies = "x"\nfasta = "x.fa"\n{changed}\n[schedule]\nsteps = 1\n'
    )
    with pytest.raises(BudwoodError, match=message):
        check_recipe(read_recipe(path), str(path))


@pytest.mark.parametrize("line", ["two\t10\t20", "one\t4000\t5000"])
def test_a_track_of_another_genome_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.fa").write_text(">one\n" + "ACGT" * 100 + "\n")
    (tmp_path / "open.bed").write_text(line + "\n")
    source = GenomeSource("x", str(tmp_path / "a.fa"), tracks={"open": str(tmp_path / "open.bed")})
    with pytest.raises(BudwoodError, match=r"no interval lies on a contig of the genome .*open\.bed"):
        load_source(source, ("open",))
