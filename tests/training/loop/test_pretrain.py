"""From a recipe to a checkpoint folder that opens and verifies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from budwood.artifacts import read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.genomics.sequence import decode
from budwood.model.checkpoint import load_checkpoint
from budwood.training.loop.pretrain import new_objective, pretrain
from budwood.training.loop.state import load_weights
from budwood.training.recipe.recipe import read_recipe

RECIPE = """
name = "tiny"
seed = 3
[[genome]]
species = "synthetic"
fasta = "{fasta}"
annotation = "{gff}"
validation_contigs = ["c2"]
[encoder]
stem_channels = 16
hidden_size = 32
layers = 1
heads = 2
[sampler]
window = 64
[schedule]
steps = 6
batch = 4
warmup = 2
save_every = 3
validate_every = 6
validation_batches = 2
precision = "no"
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrain")
    random = np.random.default_rng(0)
    contigs = {name: decode(random.integers(0, 4, 600, dtype=np.uint8)) for name in ("c1", "c2")}
    (folder / "g.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
    lines = []
    for name in contigs:
        for kind, parent in (("gene", ""), ("mRNA", "g"), ("exon", "m"), ("CDS", "m")):
            identifier = {"gene": f"ID=g{name}", "mRNA": f"ID=m{name};Parent=g{name}"}.get(
                kind, f"Parent={parent}{name}"
            )
            lines.append(f"{name}\tx\t{kind}\t101\t400\t.\t+\t{0 if kind == 'CDS' else '.'}\t{identifier}")
    (folder / "g.gff3").write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(fasta=folder / "g.fa", gff=folder / "g.gff3"))
    recipe = read_recipe(path)
    return recipe, pretrain(recipe, folder / "out", show=False), folder


def test_the_checkpoint_opens_verifies_and_names_what_it_saw(trained):
    _, folder, _ = trained
    assert verify_artifact(folder) == []
    manifest = read_manifest(folder)
    assert manifest["metrics"]["training_bases"] == 6 * 4 * 64
    assert [entry["name"] for entry in manifest["inputs"]] == ["g.fa", "g.gff3"]
    checkpoint = load_checkpoint(folder)
    assert checkpoint.encoder.dtype == torch.float32
    assert checkpoint.encoder.embed(torch.zeros(1, 64, dtype=torch.long)).shape == (1, 64)


def test_a_finished_training_run_again_gives_the_same_checkpoint(trained):
    recipe, folder, root = trained
    digest = load_checkpoint(folder).digest
    assert load_checkpoint(pretrain(recipe, root / "out", show=False)).digest == digest


def test_the_head_of_the_tracks_is_kept_and_can_be_written_after_the_end(trained, monkeypatch):
    """A training that an earlier release finished gets the head when it is run again."""
    recipe, _, root = trained
    (root / "open.bed").write_text("c1\t0\t200\nc1\t300\t420\n")
    genome = replace(recipe.genomes[0], tracks={"open chromatin": str(root / "open.bed")})
    tracked = replace(
        recipe, genomes=(genome,), objective=replace(recipe.objective, track_weight=1.0), name="tracked"
    )
    with monkeypatch.context() as earlier:
        earlier.setattr("budwood.training.loop.pretrain.TrackHead.of", lambda *_: None)
        folder = pretrain(tracked, root / "tracked", show=False)
    before = load_checkpoint(folder)
    assert before.tracks is None
    assert pretrain(tracked, root / "tracked", show=False) == folder
    assert verify_artifact(folder) == []
    after = load_checkpoint(folder)
    assert after.digest == before.digest
    assert after.head.names == ("open chromatin",)
    trained_by = new_objective(tracked)
    assert load_weights(root / "tracked" / "training" / "state", trained_by)[0] == 6
    torch.testing.assert_close(after.head.weight, trained_by.track_head.weight.detach(), rtol=0, atol=0)
    torch.testing.assert_close(after.head.bias, trained_by.track_head.bias.detach(), rtol=0, atol=0)


def test_validation_is_followed(trained):
    _, _, root = trained
    log = (root / "out" / "training" / "log.jsonl").read_text()
    assert '"kind": "validation"' in log
    assert "coding_auroc" in log


@pytest.mark.real
@pytest.mark.slow
def test_the_tiny_recipe_takes_a_minute_and_learns(real_data, tmp_path):
    path = Path(__file__).resolve().parents[3] / "recipes" / "tiny.toml"
    pretrain(read_recipe(path), tmp_path, show=False)
    lines = [json.loads(line) for line in (tmp_path / "training" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["region"] < lines[0]["region"] < np.log(17)
    assert {"locus", "share_of_peak"} <= set(lines[-1])


def test_a_training_starts_from_the_weights_of_a_checkpoint(trained):
    recipe, folder, root = trained
    still = replace(recipe.schedule, learning_rate=0.0, matrix_rate=0.0)
    onward = pretrain(replace(recipe, start=str(folder), seed=9, schedule=still), root / "onward", show=False)
    assert load_checkpoint(onward).digest == load_checkpoint(folder).digest
    manifest = read_manifest(onward)
    assert manifest["metrics"]["training_bases"] == 2 * 6 * 4 * 64
    assert "model.safetensors" in [entry["name"] for entry in manifest["inputs"]]


def test_a_checkpoint_of_another_shape_is_no_start(trained):
    recipe, folder, root = trained
    wider = replace(recipe, start=str(folder), encoder=recipe.encoder | {"hidden_size": 48})
    with pytest.raises(BudwoodError, match="another shape"):
        pretrain(wider, root / "wider", show=False)
    assert not (root / "wider").exists()


def test_the_global_generator_of_torch_stays_as_it_is(trained):
    recipe, _, root = trained
    before = torch.get_rng_state()
    pretrain(recipe, root / "drawn", show=False)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": {"steps": 0}}, "steps is 0"),
        ({"schedule": {"batch": -1}}, "batch is -1"),
        ({"schedule": {"learning_rate": float("nan")}}, "learning_rate is nan"),
        ({"schedule": {"precision": "fp8"}}, "precision is 'fp8'"),
        ({"sampler": {"window": 0}}, "window is 0"),
        ({"objective": {"span_weight": -1.0}}, "span_weight is -1"),
        ({"encoder": {"heads": 0}}, "heads is 0"),
        ({"encoder": {"kernel": 4}}, "kernel is 4"),
        ({"genomes": ()}, "either genomes or the folder of a corpus"),
    ],
)
def test_values_out_of_range_are_refused_from_python_too(trained, change, message):
    recipe, _, root = trained
    for name, values in change.items():
        held = getattr(recipe, name)
        if name == "encoder":
            values = held | values
        elif isinstance(values, dict):
            values = replace(held, **values)
        recipe = replace(recipe, **{name: values})
    with pytest.raises(BudwoodError, match=message):
        pretrain(recipe, root / "refused", show=False)
    assert not (root / "refused").exists()


def test_a_training_is_not_resumed_by_another_recipe(trained):
    recipe, _, root = trained
    with pytest.raises(BudwoodError, match="seed is 4 now"):
        pretrain(replace(recipe, seed=4), root / "out", show=False)


def test_a_device_that_is_not_there_is_refused(trained, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe, _, root = trained
    with pytest.raises(BudwoodError, match="no device 'cuda'"):
        pretrain(recipe, root / "nowhere", device="cuda", show=False)
    assert not (root / "nowhere").exists()


def test_one_process_may_train_in_one_precision_and_then_in_another(trained):
    recipe, _, root = trained
    for precision in ("bf16", "no"):
        pretrain(
            replace(recipe, schedule=replace(recipe.schedule, steps=1, precision=precision)),
            root / precision,
            device="cpu",
            show=False,
        )
