"""Folders like those of published masked language models, with tiny random weights."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    EsmConfig,
    EsmForMaskedLM,
    EsmTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

SIZE = 16
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_kmer_esm(folder: Path) -> Path:
    """6-mers with single letters for what is left, as the Nucleotide Transformer has them."""
    folder.mkdir(parents=True)
    kmers = ["".join(letters) for letters in product("ATCG", repeat=6)]
    vocabulary = ["<unk>", "<pad>", "<mask>", "<cls>", *kmers, *"ATCGN"]
    (folder / "words.txt").write_text("\n".join(vocabulary))
    tokenizer = EsmTokenizer(str(folder / "words.txt"), eos_token=None, model_max_length=64)
    (folder / "words.txt").unlink()
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": SIZE, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = EsmConfig(
        vocab_size=len(vocabulary),
        mask_token_id=2,
        pad_token_id=1,
        max_position_embeddings=64,
        position_embedding_type="absolute",
        token_dropout=True,
        **shape,
    )
    return write_model(EsmForMaskedLM, config, folder)


def write_bpe_bert(folder: Path) -> Path:
    """Pieces of any length."""
    letters = np.random.default_rng(0).choice(list("ACGT"), (40, 200))
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    trainer = trainers.BpeTrainer(vocab_size=60, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(("".join(row) for row in letters), trainer)
    write_tokenizer(tokenizer, folder)
    return write_bert(folder, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=128)


def write_letter_bert(folder: Path, positions: int = 128) -> Path:
    """Single letters; N is none of them."""
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *"ACGT"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    write_tokenizer(tokenizer, folder)
    return write_bert(folder, vocab_size=len(vocabulary), max_position_embeddings=positions)


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    ends = [(word, SPECIAL.index(word)) for word in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    words = dict(zip(names, SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **words).save_pretrained(folder)


def write_bert(folder: Path, **numbers: int) -> Path:
    shape = {"hidden_size": SIZE, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    return write_model(BertForMaskedLM, BertConfig(pad_token_id=0, **shape, **numbers), folder)


def write_model(kind: type[PreTrainedModel], config: object, folder: Path) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = kind(config)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.normal_(std=0.3)
        network.save_pretrained(folder)
    return folder
