"""Models of sequences: rivals, folders and scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import write_artifact
from budwood.errors import BudwoodError
from budwood.model.adapters.adapter_folder import load_adapters
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.probing.sequence_baselines import KmerRegression
from budwood.probing.sequence_model_folder import read_sequence_model, write_sequence_model
from budwood.probing.sequence_models import MODELS, Examples, FineTuning, fit_sequence_model
from budwood.probing.sequence_scores import compare_sequence_models, score_sequences
from budwood.training.finetuning.fit import FitConfig
from budwood.training.finetuning.outputs import class_outputs, value_outputs

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return random_checkpoint(SHAPE, seed=1)


@pytest.fixture(scope="module")
def examples() -> Examples:
    codes = np.random.default_rng(0).integers(0, 4, (80, 40), dtype=np.uint8)
    truth = np.stack([(codes == 2).mean(axis=1), (codes == 0).mean(axis=1)], axis=1)
    outputs = value_outputs(["g", "a"], truth, np.arange(60))
    return Examples(
        codes=codes, truth=truth, outputs=outputs, training=np.arange(60), validation=np.arange(60, 70)
    )


def tuning(way: str) -> FineTuning:
    fit = FitConfig(epochs=2, learning_rate=2e-3)
    return FineTuning(way=way, low_rank=LowRank(rank=2), fit=fit)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_predicts_and_leaves_the_checkpoint_alone(
    name: str, base: Checkpoint, examples: Examples
) -> None:
    before = {key: value.clone() for key, value in base.encoder.state_dict().items()}
    model = fit_sequence_model(name, examples, base, tuning("full"), show=False)
    assert model.read(examples.codes[70:]).shape == (10, 2)
    assert model.trained > 0
    assert all(value.equal(before[key]) for key, value in base.encoder.state_dict().items())


@pytest.mark.parametrize("way", ["full", "low-rank"])
def test_a_folder_predicts_what_was_trained(
    way: str, base: Checkpoint, examples: Examples, tmp_path: Path
) -> None:
    how = tuning(way)
    model = fit_sequence_model("fine-tuned", examples, base, how, show=False)
    with write_artifact(tmp_path / "tuned", kind="fine-tuned") as draft:
        write_sequence_model(draft, model, examples.outputs, how, base)
    again = read_sequence_model(tmp_path / "tuned", base)
    trained = examples.outputs.predictions(model.read(examples.codes))
    assert again.predict(examples.codes) == pytest.approx(trained, abs=1e-5)
    if way == "full":
        assert load_checkpoint(tmp_path / "tuned", device="cpu").digest != base.digest
    else:
        assert load_adapters(base, [tmp_path / "tuned"]).digest != base.digest
        with pytest.raises(BudwoodError, match="another encoder"):
            read_sequence_model(tmp_path / "tuned", random_checkpoint(SHAPE, seed=2))
    file = tmp_path / "tuned" / "head.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(BudwoodError, match="damaged"):
        read_sequence_model(tmp_path / "tuned", base)


def test_a_low_rank_encoder_trains_the_adapter_and_the_head_alone(
    base: Checkpoint, examples: Examples
) -> None:
    model = fit_sequence_model("fine-tuned", examples, base, tuning("low-rank"), show=False)
    assert model.network is not None
    plain = dict(base.encoder.state_dict())
    for name, value in model.network.encoder.state_dict().items():
        if "lora_" not in name:
            assert value.equal(plain[name.replace(".base_layer", "")])


def test_kmers_of_both_strands_do_not_depend_on_the_strand(examples: Examples) -> None:
    from budwood.genomics.sequence import reverse_complement

    model = KmerRegression(3, strand="both").fit(examples.codes, examples.truth, examples.outputs)
    turned = model.read(reverse_complement(examples.codes))
    assert turned == pytest.approx(model.read(examples.codes))


def test_scores_of_values_and_classes_are_the_textbook_ones() -> None:
    truth = np.array([[1.0, np.nan], [2.0, 4.0], [3.0, 5.0], [4.0, 7.0], [6.0, 2.0]])
    given = np.array([[1.0, 0.0], [3.0, 4.0], [2.0, 5.0], [5.0, 7.0], [7.0, 2.0]])
    outputs = value_outputs(["a", "b"], truth, np.arange(5))
    first, second = score_sequences(given, truth, outputs)
    assert first.score == pytest.approx(np.corrcoef(given[:, 0], truth[:, 0])[0, 1])
    assert (second.sequences, second.score, second.rmse) == (4, pytest.approx(1), pytest.approx(0))
    (difference,) = compare_sequence_models({"x": given, "y": given}, truth, outputs)
    assert (difference.difference, difference.lower, difference.upper) == (0, 0, 0)
    classes, labels = class_outputs("k", ["a", "b", "a", "b", "b"])
    shares = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [0.7, 0.3]])
    scored = score_sequences(shares, labels, classes)
    assert scored[1].score == pytest.approx(5 / 6)
    assert scored[0].score == pytest.approx(5 / 6)
