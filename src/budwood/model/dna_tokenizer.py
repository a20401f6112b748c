"""Tokenizers of published models, and which bases each of their tokens stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

#: Every pair of letters stands in it; no multiple of the usual k in length.
_PROBE: Final = "AACAGATCCGCTGGTTACGTA"
#: Transformers gives a tokenizer without a limit a larger number than this.
_NO_LIMIT: Final = 10**9


@dataclass(frozen=True)
class TokenRow:
    """One sequence in tokens.

    Attributes
    ----------
    ids
        (tokens,) numbers, without the symbols at the ends.
    spans
        (tokens, 2) first base of each token, and the one after its last.
    """

    ids: NDArray[np.int64]
    spans: NDArray[np.int64]


@dataclass(frozen=True)
class DnaTokenizer:
    """A tokenizer of transformers that reads DNA letters: single bases, k-mers, or pieces of any length.

    Attributes
    ----------
    tokenizer
        As ``AutoTokenizer`` opens it.
    before, after
        Symbols that its model expects at the ends of a sequence.
    pad
        Number that fills up shorter sequences.
    """

    tokenizer: Any
    before: tuple[int, ...]
    after: tuple[int, ...]
    pad: int

    def read(self, texts: Sequence[str]) -> list[TokenRow]:
        """Cut sequences into tokens.

        Parameters
        ----------
        texts
            Sequences of the letters A C G T N.

        Returns
        -------
        list of TokenRow
            One entry for each sequence.

        Raises
        ------
        BudwoodError
            If the tokens are not the letters that they stand for.
        """
        if not texts:
            return []
        if not self.tokenizer.is_fast:
            return [self._spell(text) for text in texts]
        read = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            truncation=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        pairs = zip(read["input_ids"], read["offset_mapping"], strict=True)
        return [_row(ids, spans) for ids, spans in pairs]

    def most_tokens(self, positions: int | None) -> int | None:
        """Tokens of a sequence that a model of so many positions reads at once.

        Parameters
        ----------
        positions
            Positions that the model has; None for any number.

        Returns
        -------
        int or None
            Tokens without the symbols at the ends; None for any number.
        """
        limits = [self.tokenizer.model_max_length]
        if positions is not None:
            # ESM and RoBERTa number their positions from the padding symbol's number on.
            limits.append(max(positions - self.pad - 1, positions // 2))
        limit = min(limits) - len(self.before) - len(self.after)
        return None if limit > _NO_LIMIT else max(1, int(limit))

    def _spell(self, text: str) -> TokenRow:
        """Tokenizers in Python give no positions, but their tokens are the letters themselves."""
        words = self.tokenizer.tokenize(text)
        if "".join(words) != text:
            raise unreadable("its tokens are not the letters they stand for")
        ends = np.cumsum([0, *map(len, words)])
        return _row(self.tokenizer.convert_tokens_to_ids(words), np.stack([ends[:-1], ends[1:]], axis=1))


def dna_tokenizer(tokenizer: Any) -> DnaTokenizer:
    """Find out how a tokenizer reads DNA.

    Parameters
    ----------
    tokenizer
        As ``AutoTokenizer`` opens it.

    Returns
    -------
    DnaTokenizer
        The tokenizer, with the symbols that it adds at the ends.

    Raises
    ------
    BudwoodError
        If it cannot read plain letters, for instance because it wants k-mers with spaces between them.
    """
    bare = DnaTokenizer(
        tokenizer, (), (), tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    )
    (row,) = bare.read([_PROBE])
    covered = np.zeros(len(_PROBE), dtype=np.int64)
    for begin, end in row.spans:
        covered[begin:end] += 1
    if (covered != 1).any() or tokenizer.unk_token_id in row.ids:
        raise unreadable("it does not read plain DNA letters")
    ids = list(row.ids)
    whole = list(tokenizer(_PROBE)["input_ids"])
    for begin in range(len(whole) - len(ids) + 1):
        if whole[begin : begin + len(ids)] == ids:
            return DnaTokenizer(tokenizer, tuple(whole[:begin]), tuple(whole[begin + len(ids) :]), bare.pad)
    raise unreadable("it reads a sequence otherwise where it adds symbols at the ends")


def unreadable(why: str) -> BudwoodError:
    """Make the error about a tokenizer that cannot be used.

    Parameters
    ----------
    why
        Reason, as the end of a sentence.

    Returns
    -------
    BudwoodError
        To be raised.
    """
    return BudwoodError(
        f"the tokenizer of this model cannot be used: {why}",
        mend="choose a model whose tokenizer takes DNA as one word",
    )


def _row(ids: Any, spans: Any) -> TokenRow:
    return TokenRow(np.asarray(ids, dtype=np.int64), np.asarray(spans, dtype=np.int64).reshape(-1, 2))
