"""The encoder's own tokenizer: one symbol per base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from budwood.config import WINDOW
from budwood.genomics.sequence import LETTERS, MASK, PAD

MASK_TOKEN: Final = "[MASK]"
PAD_TOKEN: Final = "[PAD]"
#: Letters that stand for others: lower case, and uracil.
_SAME: Final = ("aA", "cC", "gG", "tT", "uT", "UT")


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Make the tokenizer of the encoder.

    One symbol per base: A C G T N, ``[MASK]`` and ``[PAD]`` are 0 to 6, the codes of
    :mod:`budwood.genomics.sequence`. Lower case is read as upper case, U as T, any other letter as N; white
    space is left out. No symbol is added at the ends.

    Returns
    -------
    PreTrainedTokenizerFast
        A tokenizer of transformers.

    Examples
    --------
    >>> tokenizer = build_tokenizer()
    >>> tokenizer(["ACgtR", "A[MASK]"], padding=True)["input_ids"]
    [[0, 1, 2, 3, 4], [0, 5, 6, 6, 6]]
    >>> tokenizer.decode([0, 1, 4, 3])
    'ACNT'
    """
    vocabulary = {letter: code for code, letter in enumerate(LETTERS[:MASK])}
    vocabulary |= {MASK_TOKEN: MASK, PAD_TOKEN: PAD}
    letters = Tokenizer(models.WordLevel(vocabulary, unk_token="N"))
    replaced = [normalizers.Replace(letter, other) for letter, other in _SAME]
    letters.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), ""), *replaced])
    letters.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    letters.decoder = decoders.Fuse()
    # N is no unk_token here: transformers would leave it out of decoded sequences with the special symbols.
    return PreTrainedTokenizerFast(
        tokenizer_object=letters,
        mask_token=MASK_TOKEN,
        pad_token=PAD_TOKEN,
        model_max_length=WINDOW,
        padding_side="right",
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )


def save_tokenizer(folder: Path) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``, which ``AutoTokenizer`` opens without Budwood.

    Parameters
    ----------
    folder
        Folder of a checkpoint.
    """
    build_tokenizer().save_pretrained(folder)
    # Releases of transformers have several names for this class; this one is known to all.
    path = folder / "tokenizer_config.json"
    facts = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
