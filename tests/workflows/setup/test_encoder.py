"""Options that name no encoder open the one that an adapter or a saved model was made with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from budwood.artifacts import write_artifact
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.adapter_folder import write_adapter
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import checkpoint_digest, load_checkpoint, packaged_checkpoint
from budwood.workflows.apply import encoder_of
from budwood.workflows.setup.encoder import EncoderOptions

NAMES = ("small", "grasses", "tracks")


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_brings_the_packaged_encoder_it_was_made_over(tmp_path: Path, name: str) -> None:
    base, size = load_checkpoint(packaged_checkpoint(name), device="cpu"), LowRank(rank=1)
    adapted = AdaptedEncoder(base)
    adapted.new("mine", size, seed=0)
    with write_artifact(tmp_path / "mine", kind="adapter") as draft:
        write_adapter(draft, adapted, "mine", size, base)
    opened = EncoderOptions(adapter=(tmp_path / "mine",), device="cpu").open()
    assert opened.name.startswith(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_is_applied_with_the_packaged_encoder_it_was_fitted_with(name: str) -> None:
    digest = checkpoint_digest(packaged_checkpoint(name))
    fitted = SimpleNamespace(training=SimpleNamespace(haplotypes=SimpleNamespace(digest=digest)))
    chosen = encoder_of(fitted, EncoderOptions())  # type: ignore[arg-type]
    assert chosen.checkpoint == packaged_checkpoint(name)
    other = EncoderOptions(checkpoint=Path("elsewhere"))
    assert encoder_of(fitted, other) is other  # type: ignore[arg-type]


def test_a_model_without_sequence_or_of_another_encoder_leaves_the_default() -> None:
    marker_model = SimpleNamespace(training=SimpleNamespace(haplotypes=None))
    foreign = SimpleNamespace(training=SimpleNamespace(haplotypes=SimpleNamespace(digest="0" * 64)))
    for fitted in (marker_model, foreign):
        assert encoder_of(fitted, EncoderOptions()).checkpoint is None  # type: ignore[arg-type]
