"""k-mers and byte pairs stand beside the bases and read back as them."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.corpus.recipe.recipe import TokenConfig, read_corpus_recipe
from budwood.corpus.sampling.store import open_corpus
from budwood.corpus.stages.build import build_corpus
from budwood.corpus.stages.tokenise import build_corpus_tokenizer, tokenise
from budwood.errors import BudwoodError
from budwood.genomics.sequence import decode
from corpus.genomes import RECIPE, bases, write_genomes


def test_kmers_are_numbered_in_order_and_the_rest_is_unknown(tmp_path):
    windows = np.array([[0, 0, 1, 3, 3, 3, 4, 0, 2]], dtype=np.uint8)
    tokenizer = build_corpus_tokenizer(TokenConfig("kmer", k=3), windows, 0)
    tokenizer.save(str(tmp_path / "t.json"))
    numbers, ends = tokenise(tmp_path / "t.json", windows)
    assert numbers.tolist() == [3 + 1, 3 + 63, 0]
    assert ends.tolist() == [3]


@pytest.mark.parametrize("kind", ["kmer", "bpe"])
def test_tokens_of_a_corpus_read_back_as_its_bases(tmp_path, kind):
    from tokenizers import Tokenizer

    text = RECIPE + f'\n[tokens]\nkind = "{kind}"\nk = 4\nvocabulary = 300\n'
    corpus = open_corpus(
        build_corpus(read_corpus_recipe(write_genomes(tmp_path, text)), tmp_path / "out", show=False)
    )
    tokenizer = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    for number in (0, 1, len(corpus.windows) - 1):
        letters = "".join(tokenizer.id_to_token(int(token)) for token in corpus.tokens(number))
        length = int(corpus.windows[number]["length"])
        assert letters.startswith(decode(corpus.row(number).codes[: length // 4 * 4]))
    assert len(corpus.tokens(0)) < corpus.length / 2


def test_byte_pairs_are_learned_the_same_twice():
    windows = bases(3, 64 * 200).reshape(64, 200)
    one, other = (
        build_corpus_tokenizer(TokenConfig("bpe", vocabulary=60), windows, 0).to_str() for _ in range(2)
    )
    assert one == other


def test_a_corpus_of_bases_has_no_tokens(built):
    with pytest.raises(BudwoodError, match="no tokens"):
        open_corpus(built).tokens(0)
