"""Tokens of more than one base: fixed k-mers, or byte-pair encoding learned from the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import TokenConfig
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.genomics.sequence import decode

_SPECIAL: Final = ["[UNK]", "[PAD]", "[MASK]"]

#: Number of windows from which byte-pair encoding is learned.
_LEARNED_FROM: Final = 2048


def build_corpus_tokenizer(config: TokenConfig, windows: NDArray[np.uint8], seed: int) -> Any:
    """Build a tokenizer; its JSON file can be loaded by ``transformers.PreTrainedTokenizerFast``.

    Parameters
    ----------
    config
        Kind and size of the tokens.
    windows
        (windows, length) bases; ``bpe`` is learned from a random choice of them.
    seed
        Determines the choice.

    Returns
    -------
    tokenizers.Tokenizer
        The tokenizer.
    """
    # Imported here because only these tokens need the library.
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


@stage(version=1)
def learn_tokens(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: build the tokenizer of a corpus from its training windows.

    Writes ``tokenizer.json``.

    Parameters
    ----------
    inputs
        Folders ``selected`` and ``order``.
    parameters
        ``tokens``, the settings; ``seed``.
    folder
        Folder for the output files.
    """
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    order = np.load(inputs["order"] / "kept.npy")
    training = order[~np.load(inputs["order"] / "windows.npy")["validation"]]
    config = TokenConfig(**parameters["tokens"])
    build_corpus_tokenizer(config, codes[training], parameters["seed"]).save(str(folder / "tokenizer.json"))


def tokenise(tokenizer: Path, windows: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Convert windows to token numbers.

    Parameters
    ----------
    tokenizer
        A file ``tokenizer.json``.
    windows
        (windows, length) bases, at least one window.

    Returns
    -------
    tuple of ndarray
        ``uint32`` token numbers of all windows, one after another, and the (windows,) ends of each window's.
    """
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(tokenizer))
    numbers = [loaded.encode(letters).ids for letters in _letters(windows, np.arange(len(windows)))]
    ends = np.cumsum([len(each) for each in numbers], dtype=np.int64)
    return np.concatenate([np.array(each, dtype=np.uint32) for each in numbers]), ends


def _letters(windows: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[str]:
    for row in rows:
        yield decode(windows[row])
