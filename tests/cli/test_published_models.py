"""Published masked language models in place of a checkpoint of Budwood's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest
from budwood.model.backbone import load_backbone
from model.published import SIZE, write_bpe_bert


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_bpe_bert(tmp_path / "model")


def test_embedding_by_one(run, refused, model, panel, tmp_path) -> None:
    out = tmp_path / "vectors"
    ran = run("embed", "--fasta", panel.reference, "--checkpoint", model, "--out", out, "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["rows"], told["numbers"]) == (12, SIZE)
    assert told["checkpoint"] == {"name": "model", "digest": load_backbone(model).digest}
    assert np.load(out / "vectors.npy").shape == (12, SIZE)
    assert run("verify", out).code == 0
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    assert "is never opened" in refused("embed", "--fasta", panel.reference, "--checkpoint", model)


def test_prediction_with_one(run, model, panel, tmp_path) -> None:
    out = tmp_path / "height"
    words = ["--reference", panel.reference, "--checkpoint", model, "--out", out, "--json"]
    ran = run("predict", *panel.words(), *words)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["checkpoint"] == load_backbone(model).digest
    used = read_manifest(out)["parameters"]["checkpoint"]
    assert used == {"name": "model", "digest": load_backbone(model).digest}
