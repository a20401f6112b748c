"""The tokenizer's symbols are the codes of the package, and any program of transformers opens it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from budwood.genomics.sequence import LETTERS, MASK, PAD, encode
from budwood.model.checkpoint import packaged_checkpoint
from budwood.model.tokenizer import build_tokenizer, save_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer()


# "#" and "." are the package's own letters for mask and padding; a tokenizer's user writes [MASK] and [PAD].
@given(st.text(st.sampled_from("ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-*"), max_size=40))
def test_letters_have_the_codes_of_the_package(tokenizer, letters: str) -> None:
    assert tokenizer(letters)["input_ids"] == encode(letters).tolist()


@given(st.lists(st.integers(0, 4), max_size=40))
def test_codes_are_decoded_to_their_letters(tokenizer, codes: list[int]) -> None:
    letters = "".join(LETTERS[code] for code in codes)
    assert tokenizer.decode(codes) == letters
    assert tokenizer.decode(codes, skip_special_tokens=True) == letters


def test_masks_padding_and_white_space(tokenizer) -> None:
    assert (tokenizer.mask_token_id, tokenizer.pad_token_id, len(tokenizer)) == (MASK, PAD, 7)
    assert tokenizer("AC[MASK]\nG T")["input_ids"] == [0, 1, MASK, 2, 3]
    left = tokenizer(["ACGT", "A"], padding=True, padding_side="left")
    assert left["input_ids"] == [[0, 1, 2, 3], [PAD, PAD, PAD, 0]]
    assert left["attention_mask"][1] == [0, 0, 0, 1]


def test_the_packaged_tokenizer_is_this_one(tmp_path) -> None:
    save_tokenizer(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        packaged = json.loads((packaged_checkpoint() / name).read_text(encoding="utf-8"))
        assert packaged == json.loads((tmp_path / name).read_text(encoding="utf-8"))


def test_auto_tokenizer_opens_it_without_budwood() -> None:
    script = (
        "import sys; from transformers import AutoTokenizer; "
        "read = AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True); "
        "assert not [name for name in sys.modules if name.startswith('budwood')]; "
        "print(read('ACGTNa[MASK]')['input_ids'])"
    )
    words = [sys.executable, "-c", script, str(packaged_checkpoint())]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[0, 1, 2, 3, 4, 0, 5]"
    assert isinstance(AutoTokenizer.from_pretrained(packaged_checkpoint()), PreTrainedTokenizerFast)
