"""The picture of a training: its losses against the steps, as inline SVG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

_WIDTH, _HEIGHT, _MARGIN = 720, 260, 48
_COLOURS: Final = ("#1b7837", "#762a83", "#b35806", "#2166ac", "#555555")
#: What is drawn of the validations, where it was measured.
_FOLLOWED: Final = ("base_cross_entropy", "span_cross_entropy", "region_cross_entropy", "coding_auroc")


def write_curve(log: Path, picture: Path) -> None:
    """Draw a log: mean training losses above, validation scores below.

    Steps that were repeated after a stop are drawn once, from their last lines.

    Parameters
    ----------
    log
        JSON lines of :class:`~budwood.training.monitoring.training_log.TrainingLog`.
    picture
        SVG file to write.
    """
    entries: dict[tuple[str, int], dict[str, Any]] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        entries[entry["kind"], entry["step"]] = entry
    training = [entry for (kind, _), entry in sorted(entries.items()) if kind == "training"]
    followed = [entry for (kind, _), entry in sorted(entries.items()) if kind == "validation"]
    names = [n for n in (training[-1] if training else {}) if n not in ("step", "kind", "loss", *_SPEEDS)]
    panels = [
        _panel("mean loss of the last 100 steps (nats)", training, names),
        _panel("on what is kept for validation", followed, [n for n in _FOLLOWED if _has(followed, n)]),
    ]
    body = "".join(f'<g transform="translate(0 {i * _HEIGHT})">{panel}</g>' for i, panel in enumerate(panels))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {2 * _HEIGHT}" role="img" '
    style = 'font-family="sans-serif" font-size="12"><title>Training curve</title>'
    ground = f'<rect width="{_WIDTH}" height="{2 * _HEIGHT}" fill="white"/>'
    picture.write_text(head + style + ground + body + "</svg>\n", encoding="utf-8")


_SPEEDS: Final = ("bases_per_second", "share_of_peak")


def _has(entries: list[dict[str, Any]], name: str) -> bool:
    return any(name in entry for entry in entries)


def _panel(title: str, entries: list[dict[str, Any]], names: list[str]) -> str:
    heading = f'<text x="{_MARGIN}" y="18" font-weight="bold">{title}</text>'
    values = [entry[name] for entry in entries for name in names if name in entry]
    if not values:
        return heading + f'<text x="{_MARGIN}" y="40">nothing measured yet</text>'
    low, high = min(values), max(values)
    last = max(entry["step"] for entry in entries)
    span = (high - low) or 1.0

    def place(step: int, value: float) -> str:
        x = _MARGIN + (_WIDTH - 4 * _MARGIN) * step / last
        y = 30 + (_HEIGHT - 70) * (1 - (value - low) / span)
        return f"{x:.1f},{y:.1f}"

    drawn = [heading, _axis(low, high, last)]
    for number, name in enumerate(names):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [(entry["step"], entry[name]) for entry in entries if name in entry]
        line = " ".join(place(*point) for point in points)
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        label = f"{name.replace('_', ' ')} {points[-1][1]:.3f}"
        drawn.append(
            f'<text x="{_WIDTH - 3 * _MARGIN + 6}" y="{40 + 16 * number}" fill="{colour}">{label}</text>'
        )
    return "".join(drawn)


def _axis(low: float, high: float, last: int) -> str:
    bottom, right = _HEIGHT - 40, _WIDTH - 3 * _MARGIN
    lines = f"M{_MARGIN} 30V{bottom}H{right}"
    return (
        f'<path d="{lines}" fill="none" stroke="#999"/>'
        f'<text x="{_MARGIN - 4}" y="36" text-anchor="end">{high:.3g}</text>'
        f'<text x="{_MARGIN - 4}" y="{bottom}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">step {last:,}</text>'
    )
