"""Adapters: merged equals unmerged, swapping is exact, and foreign or damaged folders are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from budwood.artifacts import write_artifact
from budwood.errors import BudwoodError
from budwood.model.adapters.adapted import AdaptedEncoder, stacked_digest
from budwood.model.adapters.adapter_folder import load_adapters, read_adapter, write_adapter
from budwood.model.adapters.low_rank import LowRank, added_parameters, rank_of_share, target_layers
from budwood.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodEncoder
from budwood.model.encoder_config import BudwoodConfig

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=2, heads=2)
SIZE = LowRank(rank=3)


@pytest.fixture
def base() -> Checkpoint:
    return random_checkpoint(SHAPE, seed=5)


@pytest.fixture
def windows() -> torch.Tensor:
    return torch.randint(0, 4, (3, 64), generator=torch.Generator().manual_seed(0))


def changed(adapted: AdaptedEncoder, name: str, seed: int) -> None:
    """Give an adapter random weights, as training would."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in adapted.train_only(name):
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=random))


def written(folder: Path, base: Checkpoint, *, seed: int = 1, over: Path | None = None) -> Path:
    adapted = AdaptedEncoder(base)
    if over is not None:
        first = read_adapter(over, base.encoder)
        adapted.add(first)
        adapted.use(first.name)
    trained_on = adapted.checkpoint
    adapted.new(folder.name, SIZE, seed=0)
    changed(adapted, folder.name, seed)
    with write_artifact(folder, kind="adapter") as draft:
        write_adapter(draft, adapted, folder.name, SIZE, Checkpoint("base", base.encoder, trained_on.digest))
    return folder


def output(encoder: BudwoodEncoder, windows: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        found = encoder(windows)
    return torch.cat([found.pooler_output, found.bases.flatten(1), found.regions.flatten(1)], dim=1)


def test_an_adapter_has_about_four_percent_of_the_packaged_encoder() -> None:
    encoder = load_checkpoint(device="cpu").encoder
    rank = rank_of_share(encoder)
    adapted = AdaptedEncoder(load_checkpoint(device="cpu"))
    adapted.new("new", LowRank(rank=rank), seed=0)
    counted = sum(p.numel() for p in adapted.train_only("new"))
    assert counted == added_parameters(encoder, rank)
    assert 0.035 < counted / sum(p.numel() for p in encoder.parameters()) < 0.045


def test_heads_are_left_alone(base: Checkpoint) -> None:
    assert not [name for name in target_layers(base.encoder) if "head" in name]


def test_a_new_adapter_changes_nothing(base: Checkpoint, windows: torch.Tensor) -> None:
    adapted = AdaptedEncoder(base)
    adapted.new("new", SIZE, seed=0)
    assert torch.equal(output(adapted.encoder, windows), output(base.encoder, windows))


def test_merged_equals_unmerged_and_swapping_is_exact(base: Checkpoint, windows: torch.Tensor) -> None:
    adapted = AdaptedEncoder(base)
    for seed, name in enumerate(("one", "two")):
        adapted.new(name, SIZE, seed=seed)
        changed(adapted, name, seed)
    plain = output(base.encoder, windows)
    found = {}
    for used in ((), ("one",), ("two",), ("one", "two")):
        adapted.use(*used)
        found[used] = output(adapted.encoder, windows)
        if used:
            adapted.merge()
            assert output(adapted.encoder, windows) == pytest.approx(found[used], abs=1e-5)
            adapted.unmerge()
            assert output(adapted.merged_checkpoint().encoder, windows) == pytest.approx(
                found[used], abs=1e-5
            )
    assert torch.equal(found[()], plain)
    assert not torch.allclose(found[("one",)], found[("two",)], atol=1e-3)
    for used, before in reversed(found.items()):
        adapted.use(*used)
        assert torch.equal(output(adapted.encoder, windows), before)


def test_an_adapted_encoder_is_exact_under_reverse_complement(
    base: Checkpoint, windows: torch.Tensor
) -> None:
    adapted = AdaptedEncoder(base)
    adapted.new("one", SIZE, seed=0)
    changed(adapted, "one", 1)
    turned = 3 - windows.flip(1)
    assert torch.allclose(adapted.encoder.embed(windows), adapted.encoder.embed(turned), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_the_folder_is_read_as_written_and_by_peft_itself(
    tmp_path: Path, base: Checkpoint, windows: torch.Tensor
) -> None:
    folder = written(tmp_path / "lyrata", base)
    ours = load_adapters(base, [folder])
    theirs = PeftModel.from_pretrained(random_checkpoint(SHAPE, seed=5).encoder, str(folder))
    assert output(ours.encoder, windows) == pytest.approx(output(theirs.get_base_model(), windows), abs=1e-5)
    assert ours.digest == stacked_digest(base.digest, [read_adapter(folder, base.encoder).digest])
    assert ours.name.endswith("+lyrata")
    assert not torch.allclose(output(ours.encoder, windows), output(base.encoder, windows), atol=1e-3)


def test_adapters_stack_in_the_order_they_were_trained(
    tmp_path: Path, base: Checkpoint, windows: torch.Tensor
) -> None:
    one = written(tmp_path / "one", base)
    two = written(tmp_path / "two", base, seed=2, over=one)
    alone, both = load_adapters(base, [one]), load_adapters(base, [one, two])
    assert len({base.digest, alone.digest, both.digest}) == 3
    assert not torch.allclose(output(alone.encoder, windows), output(both.encoder, windows), atol=1e-3)
    with pytest.raises(BudwoodError, match="trained on another encoder"):
        load_adapters(base, [two])
    with pytest.raises(BudwoodError, match="trained on another encoder"):
        load_adapters(base, [two, one])


def test_an_adapter_of_another_checkpoint_is_refused(tmp_path: Path, base: Checkpoint) -> None:
    folder = written(tmp_path / "one", base)
    with pytest.raises(BudwoodError, match="trained on another encoder"):
        load_adapters(random_checkpoint(SHAPE, seed=6), [folder])


def test_an_adapter_of_another_shape_is_refused(tmp_path: Path, base: Checkpoint) -> None:
    folder = written(tmp_path / "one", base)
    other = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    with pytest.raises(BudwoodError, match="another shape"):
        load_adapters(other, [folder])


def _without_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _without_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def _without_config(folder: Path) -> None:
    (folder / "adapter_config.json").unlink()


def _cut(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def _one_bit(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def _other_alpha(folder: Path) -> None:
    file = folder / "adapter_config.json"
    file.write_text(file.read_text().replace('"lora_alpha": 16.0', '"lora_alpha": 32.0'))


def _other_kind(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"kind": "adapter"', '"kind": "predict"'))


def _extra(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


DAMAGES = (
    *(_without_manifest, _without_weights, _without_config, _cut, _one_bit),
    *(_other_alpha, _other_kind, _extra, _empty),
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_or_foreign_folder_is_refused(
    tmp_path: Path, base: Checkpoint, damage: Callable[[Path], None]
) -> None:
    folder = written(tmp_path / "one", base)
    damage(folder)
    with pytest.raises(BudwoodError):
        load_adapters(base, [folder])


def _lacking(tensors: dict[str, torch.Tensor]) -> None:
    tensors.pop(next(iter(tensors)))


def _unknown(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.other"] = torch.zeros(1)


def _narrow(tensors: dict[str, torch.Tensor]) -> None:
    name = next(iter(tensors))
    tensors[name] = tensors[name][:1].contiguous()


def _not_finite(tensors: dict[str, torch.Tensor]) -> None:
    next(iter(tensors.values())).view(-1)[0] = float("nan")


@pytest.mark.parametrize(
    "damage", [_lacking, _unknown, _narrow, _not_finite], ids=lambda damage: damage.__name__
)
def test_tensors_that_do_not_fit_are_refused_even_with_a_sound_manifest(
    tmp_path: Path, base: Checkpoint, damage: Callable[[dict[str, torch.Tensor]], None]
) -> None:
    folder, copy = written(tmp_path / "one", base), tmp_path / "copy"
    tensors = load_file(folder / "adapter_model.safetensors")
    damage(tensors)
    parameters = json.loads((folder / "manifest.json").read_text())["parameters"]
    with write_artifact(copy, kind="adapter", parameters=parameters) as draft:
        shutil.copy(folder / "adapter_config.json", draft.folder)
        save_file(tensors, draft.path("adapter_model.safetensors"))
    with pytest.raises(BudwoodError):
        load_adapters(base, [copy])


def test_the_adapters_in_use_are_named_rightly(base: Checkpoint) -> None:
    adapted = AdaptedEncoder(base)
    adapted.new("one", SIZE, seed=0)
    with pytest.raises(BudwoodError, match="no adapter 'oen'"):
        adapted.use("oen")
    with pytest.raises(BudwoodError, match="named twice"):
        adapted.use("one", "one")
    with pytest.raises(BudwoodError, match="already"):
        adapted.new("one", SIZE, seed=0)
    adapted.merge()
    with pytest.raises(BudwoodError, match="merged"):
        adapted.use()


@pytest.mark.parametrize("name", ["lora", "weight", "lora_A", "r"])
def test_names_that_peft_uses_itself_name_adapters(
    tmp_path: Path, base: Checkpoint, windows: torch.Tensor, name: str
) -> None:
    plain = load_adapters(base, [written(tmp_path / "plain", base)])
    found = load_adapters(base, [written(tmp_path / name, base)])
    torch.testing.assert_close(output(found.encoder, windows), output(plain.encoder, windows))
