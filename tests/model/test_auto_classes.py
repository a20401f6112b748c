"""After ``import budwood.model`` the auto classes of transformers open Budwood's folders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, pipeline
from transformers.utils.generic import ModelOutput

from budwood.artifacts import read_manifest
from budwood.genomics.sequence import PAD
from budwood.model import auto_classes
from budwood.model.checkpoint import (
    load_checkpoint,
    packaged_checkpoint,
    random_checkpoint,
    save_checkpoint,
)
from budwood.model.encoder import BudwoodEncoder, BudwoodForMaskedLM
from budwood.model.encoder_config import BudwoodConfig

ORDERS = (
    "import budwood.model; from transformers import AutoModel",
    "from transformers import AutoModel; from budwood.model.encoder import BudwoodEncoder",
)


@pytest.fixture(scope="module")
def encoder() -> BudwoodEncoder:
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    return random_checkpoint(shape, seed=2).encoder


@pytest.fixture
def folder(encoder, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder.save_pretrained(tmp_path / "first")
    return tmp_path / "first"


def opened(auto: type, folder: Path):
    return auto.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def test_saved_and_opened_by_the_auto_classes_it_is_the_same_to_the_bit(encoder, folder, tmp_path):
    config, model, masked = (opened(auto, folder) for auto in (AutoConfig, AutoModel, AutoModelForMaskedLM))
    assert type(config) is BudwoodConfig
    assert type(model) is BudwoodEncoder
    assert type(masked) is BudwoodForMaskedLM
    for number, again in enumerate((model, masked)):
        again.save_pretrained(tmp_path / str(number))
        saved = load_file(tmp_path / str(number) / "model.safetensors")
        assert saved.keys() == encoder.state_dict().keys()
        assert all(torch.equal(saved[name], value) for name, value in encoder.state_dict().items())
    assert AutoModel.from_config(config).config.to_dict() == model.config.to_dict()


def test_the_packaged_folder_follows_the_conventions():
    folder = packaged_checkpoint()
    names = {file.name for file in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".py"))]
    card = (folder / "README.md").read_text(encoding="utf-8")
    head = card.split("---\n")[1]
    assert "license: " in head
    assert "library_name: transformers" in head
    assert "README.md" in read_manifest(folder)["files"]
    model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    tokens = torch.arange(64).remainder(5)[None]
    with torch.inference_mode():
        assert torch.equal(model.embed(tokens), load_checkpoint().encoder.embed(tokens))


def test_the_masked_language_model_reads_as_the_encoder_does(encoder, folder):
    masked = opened(AutoModelForMaskedLM, folder).eval()
    tokens = torch.randint(0, 5, (2, 24), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(tokens)
    mask[1, 20:] = 0
    padded = tokens.masked_fill(mask == 0, PAD)
    labels = tokens.masked_fill(mask == 0, -100)
    with torch.no_grad():
        told = masked(input_ids=tokens, attention_mask=mask, labels=labels)
        expected = encoder(padded).bases
        in_a_tuple = masked(tokens, mask, return_dict=False)[0]
    assert told.logits.shape == (2, 24, 7)
    assert torch.equal(told.logits[..., :4], expected)
    assert torch.equal(in_a_tuple, told.logits)
    assert (told.logits.softmax(-1)[..., 4:] == 0).all()
    asked = labels.ge(0) & labels.lt(4)
    nats = -expected[asked].log_softmax(-1).gather(1, labels[asked][:, None]).mean()
    torch.testing.assert_close(told.loss, nats)
    assert masked(input_ids=tokens).loss is None


def test_registering_twice_does_no_harm():
    auto_classes.register_with_transformers()
    assert type(AutoConfig.for_model("budwood")) is BudwoodConfig


@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order_and_without_import_hooks(folder, order):
    script = (
        f"import sys\nhooks = list(sys.meta_path)\nimport budwood\nassert sys.meta_path == hooks\n{order}\n"
        "from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM\n"
        "for auto in (AutoModelForMaskedLM, AutoModel, AutoConfig):\n"
        "    print(type(auto.from_pretrained(sys.argv[1], trust_remote_code=False)).__name__)\n"
        "assert not [hook for hook in sys.meta_path if 'budwood' in type(hook).__module__]"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["BudwoodForMaskedLM", "BudwoodEncoder", "BudwoodConfig"]


def test_the_output_holds_a_vector_of_every_base_and_one_of_the_sequence(encoder):
    tokens = torch.randint(0, 5, (2, 30), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(tokens)
    mask[1, 21:] = 0
    with torch.no_grad():
        read = encoder(input_ids=tokens, attention_mask=mask)
        vectors = encoder.embed(tokens.masked_fill(mask == 0, PAD))
    assert isinstance(read, ModelOutput)
    assert read[0] is read.last_hidden_state
    assert read.last_hidden_state.shape == (2, 30, 32)
    assert not read.last_hidden_state[1, 21:].any()
    assert torch.equal(read.pooler_output, vectors)
    mean = read.last_hidden_state.sum(1) / mask.sum(1, keepdim=True)
    # Two orders of one sum of float32 numbers of size 1.
    torch.testing.assert_close(mean, vectors, rtol=0, atol=1e-6)
    assert len(encoder(tokens, return_dict=False)) == 4


def test_weights_have_the_type_of_the_file_unless_asked(tmp_path, encoder):
    save_checkpoint(encoder, tmp_path)
    tokens = torch.arange(64).remainder(5)[None]
    for auto in (AutoModel, AutoModelForMaskedLM):
        assert opened(auto, tmp_path).dtype == torch.float16
        assert auto.from_pretrained(tmp_path, dtype=torch.float32).dtype == torch.float32
    with torch.no_grad():
        half, whole = (
            AutoModel.from_pretrained(tmp_path, dtype=kind)(tokens) for kind in ("auto", "float32")
        )
    assert half.last_hidden_state.dtype == torch.float16
    assert half.pooler_output.dtype == torch.float32
    # float16 keeps 11 bits; the network adds some ten such roundings of numbers of size 1 to 3.
    torch.testing.assert_close(half.last_hidden_state.float(), whole.last_hidden_state, rtol=0, atol=0.02)


def test_it_fills_masks_in_a_pipeline(tmp_path, encoder):
    save_checkpoint(encoder, tmp_path)
    fill = pipeline("fill-mask", model=str(tmp_path), tokenizer=str(tmp_path), device="cpu")
    guesses = fill("ACG[MASK]TTGA", top_k=4)
    assert {guess["token_str"] for guess in guesses} == set("ACGT")
    assert sum(guess["score"] for guess in guesses) == pytest.approx(1, abs=1e-3)
