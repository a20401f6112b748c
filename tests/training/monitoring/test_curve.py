"""The curve draws every number of the log, in well-formed SVG."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from budwood.training.monitoring.curve import write_curve


def drawn(tmp_path: Path, lines: list[dict[str, object]]) -> ElementTree.Element:
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_curve(tmp_path / "log.jsonl", tmp_path / "curve.svg")
    return ElementTree.parse(tmp_path / "curve.svg").getroot()


def test_losses_and_scores_are_lines_and_repeated_steps_are_drawn_once(tmp_path: Path) -> None:
    training = [
        {
            "step": s,
            "kind": "training",
            "loss": 3.0,
            "span": 1.4 - s / 1e3,
            "bases_per_second": 9.0,
            "share_of_peak": 0.1,
        }
        for s in (100, 200, 200, 300)
    ]
    validation = [{"step": 300, "kind": "validation", "base_cross_entropy": 1.3, "span_accuracy": 0.3}]
    root = drawn(tmp_path, training + validation)
    lines = root.findall(".//{*}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [3, 1]
    text = " ".join(node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "span 1.100" in text
    assert "base cross entropy 1.300" in text
    assert "bases per second" not in text


@pytest.mark.parametrize("lines", [[], [{"step": 100, "kind": "training", "loss": 1.0, "span": 1.0}]])
def test_little_or_nothing_can_be_drawn(tmp_path: Path, lines: list[dict[str, object]]) -> None:
    assert "nothing measured yet" in ElementTree.tostring(drawn(tmp_path, lines), encoding="unicode")
