"""Published models are read by their own tokenizers, with the invariances of our own encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel

from budwood.errors import BudwoodError
from budwood.genomics.sequence import MASK, PAD, N, encode, reverse_complement
from budwood.model.backbone import load_backbone
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.language_model import LanguageModel
from model.published import (
    SIZE,
    write_bpe_bert,
    write_kmer_esm,
    write_letter_bert,
    write_model,
    write_tokenizer,
)

WRITERS = {"k-mers": write_kmer_esm, "pieces": write_bpe_bert, "letters": write_letter_bert}


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> dict[str, LanguageModel]:
    base = tmp_path_factory.mktemp("published")
    return {name: load_backbone(write(base / name)) for name, write in WRITERS.items()}


@pytest.fixture(scope="module", params=list(WRITERS))
def model(opened, request) -> LanguageModel:
    return opened[request.param]


sequences = st.lists(st.integers(0, 4), min_size=1, max_size=70).map(lambda c: np.array(c, dtype=np.uint8))


def padded(rows: list[np.ndarray], length: int) -> np.ndarray:
    codes = np.full((len(rows), length), PAD, dtype=np.uint8)
    for row, bases in zip(codes, rows, strict=True):
        row[: len(bases)] = bases
    return codes


@settings(max_examples=12, deadline=None)
@given(codes=sequences, other=sequences, centre=st.sampled_from([None, 8]))
def test_strand_padding_and_company_do_not_matter(model, codes, other, centre):
    rows = [codes, reverse_complement(codes), other]
    vectors = model.embed_strands(padded(rows, 90), centre=centre)
    assert vectors.shape == (2, 3, SIZE)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[0, 0], vectors[1, 1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(vectors[1, 0], vectors[0, 1], rtol=0, atol=1e-5)
    alone = model.embed_strands(codes[None], centre=centre)
    np.testing.assert_allclose(vectors[:, :1], alone, rtol=0, atol=1e-5)


def test_padding_alone_gives_zeros_and_unknown_bases_none(model):
    vectors = model.embed_strands(padded([encode(""), encode("N" * 30), encode("ACGT")], 40))
    assert not vectors[:, 0].any()
    assert vectors[:, 1].any()
    assert np.isfinite(vectors).all()
    hidden = encode("ACGTNNACGT")
    masked = np.where(hidden == N, MASK, hidden).astype(np.uint8)
    assert np.array_equal(model.embed_strands(hidden[None]), model.embed_strands(masked[None]))


def test_tokens_stand_for_their_bases(opened):
    def words(name: str, text: str) -> list[str]:
        (row,) = opened[name].tokenizer.read([text])
        return [text[begin:end] for begin, end in row.spans]

    assert words("k-mers", "ACGTACGTACGTAC") == ["ACGTAC", "GTACGT", "A", "C"]
    assert words("k-mers", "ACGTANCGTACGN") == ["A", "C", "G", "T", "A", "N", "CGTACG", "N"]
    assert words("letters", "ACNNT") == list("ACNNT")
    assert "".join(words("pieces", "ACGTTGCATTA")) == "ACGTTGCATTA"
    assert max(map(len, words("pieces", "ACGTTGCATTA"))) > 1
    assert (opened["k-mers"].tokenizer.before, opened["k-mers"].tokenizer.after) == ((3,), ())
    assert (opened["letters"].tokenizer.before, opened["letters"].tokenizer.after) == ((2,), (3,))


@pytest.mark.parametrize("centre", [None, 8])
def test_a_vector_is_the_mean_over_bases(opened, centre):
    text = "ACGTAACCTGATACA"
    model = opened["k-mers"]
    (row,) = model.tokenizer.read([text])
    assert row.spans[:, 1].tolist() == [6, 12, 13, 14, 15]
    with torch.inference_mode():
        hidden = model.network(input_ids=torch.tensor([[3, *row.ids]])).last_hidden_state[0, 1:].numpy()
    bases = np.repeat(hidden, [6, 6, 1, 1, 1], axis=0)
    middle = bases if centre is None else bases[3:12]  # an odd length keeps both edge bases
    vectors = model.embed_strands(encode(text)[None], centre=centre)
    np.testing.assert_allclose(vectors[0, 0], middle.mean(0), rtol=0, atol=1e-5)


def test_long_sequences_are_read_in_equal_pieces(tmp_path):
    model = load_backbone(write_letter_bert(tmp_path / "short", positions=19))
    assert model.most_tokens == 16
    codes = np.random.default_rng(3).integers(0, 4, (1, 40), dtype=np.uint8)
    whole = model.embed_strands(codes)
    parts = [model.embed_strands(part) for part in np.array_split(codes, 3, axis=1)]
    sizes = [14, 13, 13]
    expected = sum(part[0] * size for part, size in zip(parts, sizes, strict=True)) / 40
    np.testing.assert_allclose(whole[0], expected, rtol=0, atol=1e-5)


def test_the_digest_is_that_of_the_files(opened, tmp_path):
    folder = write_letter_bert(tmp_path / "again")
    assert load_backbone(folder).digest == opened["letters"].digest
    assert load_backbone(folder).name == "again"
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-3}))
    assert load_backbone(folder).digest != opened["letters"].digest


def test_folders_of_budwood_are_checkpoints(tmp_path):
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    random = random_checkpoint(shape)
    random.encoder.save_pretrained(tmp_path)
    again = load_backbone(tmp_path)
    assert isinstance(again, Checkpoint)
    codes = np.random.default_rng(3).integers(0, 4, (2, 40), dtype=np.uint8)
    assert np.array_equal(again.embed_strands(codes), random.embed_strands(codes))
    assert load_backbone().embedding_size == 512


def rename_to_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def forget_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def cut_weights(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def forget_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def need_code(folder: Path) -> None:
    config = {"model_type": "caduceus", "auto_map": {"AutoConfig": "configuration.Configuration"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "configuration.py").write_text("raise SystemExit('code of the folder was run')")


def forget_layers(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))


def garble_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def want_spaces(folder: Path) -> None:
    """K-mers with spaces between them, as the first DNABERT has them."""
    tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "ACG": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    write_tokenizer(tokenizer, folder)


def be_causal(folder: Path) -> None:
    shape = GPT2Config(vocab_size=9, n_positions=64, n_embd=8, n_layer=1, n_head=1)
    write_model(GPT2LMHeadModel, shape, folder)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (rename_to_pickle, r"a pickle \(pytorch_model.bin\), which can run code"),
        (forget_weights, "no weights"),
        (cut_weights, "cannot be read"),
        (forget_tokenizer, "tokenizer"),
        (need_code, "code in the folder is never run"),
        (forget_layers, "do not fit a bert network"),
        (garble_config, "config.json does not say"),
        (want_spaces, "does not read plain DNA letters"),
        (be_causal, "cannot be read"),
    ],
)
def test_bad_folders_are_told_in_one_sentence(tmp_path, spoil, told, capfd):
    folder = write_letter_bert(tmp_path / "model")
    spoil(folder)
    capfd.readouterr()
    with pytest.raises(BudwoodError, match=told) as error:
        load_backbone(folder)
    assert "\n" not in error.value.sentence
    assert capfd.readouterr() == ("", "")


def a_layer_more(tensors: dict[str, torch.Tensor], prefix: str) -> None:
    for name in [name for name in tensors if ".layer.1." in name]:
        tensors[name.replace(".layer.1.", ".layer.2.")] = tensors[name].clone()


DAMAGES = {
    "missing": (lambda t, p: t.pop(f"{p}encoder.layer.0.output.dense.weight"), "they lack"),
    "renamed": (
        lambda t, p: t.update(
            {f"{p}encoder.layer.0.output.dance": t.pop(f"{p}encoder.layer.0.output.dense.bias")}
        ),
        "they lack|unexpected",
    ),
    "unexpected": (lambda t, p: t.update({f"{p}encoder.gate.weight": torch.ones(2)}), "unexpected"),
    "a layer more than the configuration": (a_layer_more, r"unexpected .*layer\.2.* more"),
    "another shape": (
        lambda t, p: t.update({f"{p}encoder.layer.0.output.dense.bias": torch.ones(3)}),
        "cannot be read",
    ),
    "not a number": (lambda t, p: t[f"{p}encoder.layer.1.output.dense.bias"].fill_(torch.nan), "not finite"),
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("headless", [False, True])
def test_damaged_weights_of_a_published_model_are_refused(tmp_path: Path, kind: str, headless: bool) -> None:
    """Also in a file that was saved without the head, whose names have no prefix."""
    folder = write_letter_bert(tmp_path / "bert")
    file = folder / "model.safetensors"
    tensors = {
        name.removeprefix("bert.") if headless else name: value
        for name, value in load_file(file).items()
        if not headless or name.startswith("bert.")
    }
    save_file(tensors, file, metadata={"format": "pt"})
    load_backbone(folder)
    damage, message = DAMAGES[kind]
    damage(tensors, "" if headless else "bert.")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(BudwoodError, match=message):
        load_backbone(folder)
