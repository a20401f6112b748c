"""The browser's experiments give the numbers of the Python ones."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from typing import Any

import numpy as np
import pytest

from budwood.lesson.experiment import ARMS, learn_first_task, learn_second_task
from budwood.lesson.network import answer, new_weights
from budwood.lesson.random_numbers import RandomNumbers
from budwood.lesson.tasks import OUTPUTS, amino_acids, hydrophobicity, one_hot, opened_windows

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def run(script: str) -> Any:
    engine = resources.files("budwood.lesson").joinpath("assets", "engine.js")
    with resources.as_file(engine) as path:
        program = f"const lesson = require({json.dumps(str(path))});\n{script}"
        done = subprocess.run([str(NODE), "-e", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_random_numbers_are_equal() -> None:
    found = run(
        "const r = new lesson.RandomNumbers(7);"
        "const next = [1, 2, 3].map(() => r.next()), normal = [1, 2].map(() => r.normal());"
        "console.log(JSON.stringify([next, normal, [...r.permutation(9)]]))"
    )
    random = RandomNumbers(7)
    assert found[0] == random.uniform(3).tolist()
    assert found[1] == pytest.approx(random.normal(2).tolist(), abs=1e-12)
    assert found[2] == random.permutation(9).tolist()


def test_tasks_are_equal() -> None:
    windows = ["ATGAGGGTT", "TTGAGGGTT", "ATGTGGTAA", "ATGTAACTT", "ATGCTTTCT"]
    texts = json.dumps(windows)
    found = run(f"console.log(JSON.stringify({texts}.map((w) => lesson.aminoAcids(lesson.encode(w)))))")
    assert found == [amino_acids(window) for window in windows]
    value = run("console.log(lesson.hydrophobicity(lesson.encode('ATGCTTTCT')))")
    assert value == pytest.approx(hydrophobicity("ATGCTTTCT"), abs=1e-12)


def test_an_untrained_network_gives_the_same_answer() -> None:
    found = run(
        "const w = lesson.newWeights(new lesson.RandomNumbers(3), 66);"
        "console.log(JSON.stringify([...lesson.answer(w, lesson.middle(w, lesson.encode('ATGAGGGTT')))]))"
    )
    window = np.array([[0, 3, 2, 0, 2, 2, 2, 3, 3]], dtype=np.uint8)
    assert len(opened_windows()) == 4096
    assert found == pytest.approx(
        answer(new_weights(RandomNumbers(3), OUTPUTS), one_hot(window))[0], abs=1e-12
    )


def test_trained_networks_are_equal_to_five_digits() -> None:
    settings = "{epochs: 2, seed: 4, examples: 300}"
    script = f"""
        let first;
        const accuracy = [], errors = {{}};
        for (const state of lesson.learnFirstTask({settings})) {{
          accuracy.push(state.accuracy);
          first = state.weights;
        }}
        for (const arm of {json.dumps(ARMS)}) {{
          errors[arm] = [];
          for (const state of lesson.learnSecondTask(first, arm, 50, {{epochs: 10, seed: 2}}))
            errors[arm].push(state.error);
        }}
        console.log(JSON.stringify({{ accuracy, weights: first.map((each) => [...each]), errors }}));
    """
    found = run(script)
    first = learn_first_task(epochs=2, seed=4, examples=300)
    assert found["accuracy"] == pytest.approx(first.accuracy, abs=2e-3)
    for theirs, ours in zip(found["weights"], first.weights[-1], strict=True):
        assert np.abs(np.array(theirs) - ours.ravel()).max() < 1e-5
    for arm in ARMS:
        ours = learn_second_task(first.weights[-1], arm, 50, epochs=10, seed=2).error
        assert found["errors"][arm] == pytest.approx(ours, abs=1e-5)
