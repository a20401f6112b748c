"""Windows as tokens of more than one base: fixed k-mers, or byte-pair encoding learned on the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import TokenConfig
from budwood.corpus.stages.stage import Inputs, Parameters
from budwood.genomics.sequence import decode

_SPECIAL: Final = ["[UNK]", "[PAD]", "[MASK]"]

#: Windows that byte-pair encoding is learned from.
_LEARNED_FROM: Final = 2048


def build_tokenizer(config: TokenConfig, windows: NDArray[np.uint8], seed: int) -> Any:
    """A ``tokenizers.Tokenizer``; its JSON file loads in ``transformers.PreTrainedTokenizerFast`` too.

    Parameters
    ----------
    windows
        (windows, length) bases; ``bpe`` is learned from some of them, drawn at random.
    """
    # Imported here because the library is needed for these tokens alone.
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    if config.kind == "kmer":
        words = ["".join(letters) for letters in product("ACGT", repeat=config.k)]
        vocabulary = {word: number for number, word in enumerate(_SPECIAL + words)}
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f".{{1,{config.k}}}"), "isolated")
        return tokenizer
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("N+"), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary,
        special_tokens=_SPECIAL,
        initial_alphabet=list("ACGTN"),
        show_progress=False,
    )
    rows = np.random.default_rng((seed, 5)).permutation(len(windows))[:_LEARNED_FROM]
    tokenizer.train_from_iterator(_letters(windows, np.sort(rows)), trainer)
    return tokenizer


def learn_tokens(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: build the tokenizer of a corpus from its training windows, as ``tokenizer.json``."""
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    order = np.load(inputs["order"] / "kept.npy")
    training = order[~np.load(inputs["order"] / "windows.npy")["validation"]]
    config = TokenConfig(**parameters["tokens"])
    build_tokenizer(config, codes[training], parameters["seed"]).save(str(folder / "tokenizer.json"))


def tokenise(tokenizer: Path, windows: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Token numbers of windows one behind the other, and where each window's end.

    Parameters
    ----------
    tokenizer
        A file ``tokenizer.json``.
    windows
        (windows, length) bases.
    """
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(tokenizer))
    numbers = [loaded.encode(letters).ids for letters in _letters(windows, np.arange(len(windows)))]
    ends = np.cumsum([len(each) for each in numbers], dtype=np.int64)
    return np.concatenate([np.array(each, dtype=np.uint32) for each in numbers]), ends


def _letters(windows: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[str]:
    for row in rows:
        yield decode(windows[row])
