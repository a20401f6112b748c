"""Run many small trainings: each is made once, scored, and stored as a line of JSON."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.model.checkpoint import Checkpoint
from budwood.training.data.batches import Windows
from budwood.training.loop.loop import train
from budwood.training.loop.pretrain import new_objective
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.recipe.recipe import Recipe

Values = dict[str, NDArray[Any]]


class Ledger:
    """Finished runs in a folder: ``runs.jsonl`` with a line for each, and ``values/`` with their scores.

    A run is identified by its key and a digest of everything it depends on, so it is repeated only when that
    has changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "values").mkdir(parents=True, exist_ok=True)
        self._lines = folder / "runs.jsonl"

    def run(self, key: dict[str, Any], depends: Any, make: Callable[[Path], dict[str, Any]]) -> Values:
        """Scores of a run; ``make`` gets a folder for the training and returns arrays and plain values."""
        text = json.dumps([key, depends], sort_keys=True, default=str)
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        kept = self.folder / "values" / f"{name}.npz"
        if not kept.exists():
            training = self.folder / "training"
            found = make(training / name)
            arrays = {what: value for what, value in found.items() if isinstance(value, np.ndarray)}
            facts = {what: value for what, value in found.items() if what not in arrays}
            draft = kept.with_name("partial.npz")
            np.savez(draft, **arrays)
            with self._lines.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(key | {"run": name} | facts) + "\n")
            draft.replace(kept)
            shutil.rmtree(training, ignore_errors=True)
        with np.load(kept) as arrays:
            return dict(arrays)


def trained(
    recipe: Recipe, windows: Windows, folder: Path, columns: ColumnSampler | None = None
) -> Checkpoint:
    """Train an encoder by a recipe on these windows; a run that was stopped resumes."""
    objective = new_objective(recipe)
    encoder = objective.encoder
    train(objective, windows, recipe.schedule, folder, columns=columns, show=False)
    encoder.eval()
    return Checkpoint(recipe.name, encoder, digest_of(asdict(recipe)))


def digest_of(facts: Any) -> str:
    """Digest of everything a run depends on."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
