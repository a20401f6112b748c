"""The checkpoint that ships is whole, small, what its recipe says, and has learned genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from budwood.artifacts import read_manifest, verify_artifact
from budwood.config import EMBEDDING, WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import CODING
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode, reverse_complement
from budwood.model.backbone import load_backbone
from budwood.model.checkpoint import (
    load_checkpoint,
    packaged_checkpoint,
    random_checkpoint,
    save_checkpoint,
)
from budwood.model.encoder_config import BudwoodConfig
from budwood.probing.linear import score_auroc
from budwood.probing.regions import coding_probability
from budwood.training.recipe.recipe import build_recipe, read_recipe

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["small", "grasses", "tracks"])
def test_it_is_whole_and_at_most_25_megabytes(name: str) -> None:
    folder = packaged_checkpoint(name)
    assert verify_artifact(folder) == []
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 25e6


@pytest.mark.parametrize("name", ["small", "grasses", "tracks"])
def test_it_was_trained_by_the_committed_recipe(name: str) -> None:
    manifest = read_manifest(packaged_checkpoint(name))
    trained_by = build_recipe(manifest["parameters"]["recipe"], "manifest.json")
    assert trained_by == read_recipe(ROOT / f"recipes/{name}.toml")
    assert manifest["metrics"]["training_bases"] >= 60e6


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(BudwoodError, match="no packaged checkpoint is called 'large'") as refused:
        packaged_checkpoint("large")
    assert "grasses" in str(refused.value)
    assert "small" in str(refused.value)


@pytest.mark.parametrize("name", ["small", "grasses", "tracks"])
def test_its_embedding_is_exact_under_reverse_complement(name: str) -> None:
    encoder = load_checkpoint(packaged_checkpoint(name)).encoder
    codes = np.random.default_rng(0).integers(0, 4, (2, WINDOW), dtype=np.uint8)
    with torch.inference_mode():
        there, back = (
            encoder.embed(torch.from_numpy(c.astype(np.int64))) for c in (codes, reverse_complement(codes))
        )
    assert there.shape == (2, EMBEDDING)
    assert there.dtype == torch.float32
    torch.testing.assert_close(there, back, rtol=0, atol=1e-5)


@pytest.mark.real
def test_it_tells_coding_bases_of_rice_that_it_never_saw(real_data: Path) -> None:
    folder = real_data / "genomes/oryza_sativa"
    start, end = 20_000, 40_000
    genome = open_fasta(folder / "chr02_first_1Mb.fa.xz")
    piece = InMemoryAssembly({"Chr2": decode(genome.sequence(Interval("Chr2", start, end)))})
    truth = base_class_track(read_gff(folder / "chr02_first_1Mb.gff3.xz"), "Chr2", genome.contigs["Chr2"])
    coding = np.isin(truth[start:end], CODING)
    trained, random = (
        score_auroc(coding_probability(piece, c)["Chr2"], coding, draws=20)
        for c in (load_checkpoint(), random_checkpoint())
    )
    assert trained.auroc > 0.8
    assert trained.auroc > random.auroc + 0.2


def test_folders_without_a_checkpoint_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="no checkpoint"):
        load_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(BudwoodError, match="no checkpoint"):
        load_checkpoint(tmp_path)


def test_opening_and_saving_draw_no_bars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(load_checkpoint().encoder, tmp_path)
    load_backbone(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_float16_moves_weights_by_no_more_than_is_said(tmp_path: Path) -> None:
    encoder = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)).encoder
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(torch.logspace(-9, 1, parameter.numel()).view_as(parameter))
    save_checkpoint(encoder, tmp_path)
    saved = load_checkpoint(tmp_path, device="cpu").encoder.state_dict()
    for name, weight in encoder.state_dict().items():
        moved = (saved[name] - weight).abs()
        assert (moved <= torch.clamp(weight.abs() * 2.0**-11, min=2.0**-25)).all(), name


def test_weights_beyond_float16_are_not_saved(tmp_path: Path) -> None:
    encoder = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)).encoder
    with torch.no_grad():
        encoder.network.up.weight[0, 0] = 70_000
    with pytest.raises(BudwoodError, match="float16 does not hold"):
        save_checkpoint(encoder, tmp_path)
    assert not list(tmp_path.iterdir())
