"""A transfer comparison as the files that scripts read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.genomics.io.text.csv_writer import Cell
from budwood.workflows.records.files import cell, finite, write_table

if TYPE_CHECKING:
    from budwood.prediction.phenotype_next import PhenotypeNext
    from budwood.stats.evaluation.paired_difference import ConfidenceInterval
    from budwood.transfer.comparison import TransferComparison
    from budwood.transfer.few_shot.results import FewShotResults
    from budwood.transfer.geometry import AxisGeometry
    from budwood.workflows.transfer.result import TransferResult

_NAN: Final = float("nan")
#: Version of transfer.json.
VERSION: Final = 1
#: Columns of ``accuracy.csv``, in order; part of the command line's contract.
COLUMNS: Final = (
    "arm",
    "phenotyped",
    "r",
    "lower_95",
    "upper_95",
    "r_within_clusters",
    "difference",
    "difference_lower_95",
    "difference_upper_95",
    "best_quarter",
    "best_quarter_expected",
)


def transfer_record(result: TransferResult) -> dict[str, Any]:
    """The result as plain values.

    Parameters
    ----------
    result
        Tests, accuracies and the outcome.
    """
    from budwood.transfer.few_shot.arms import TARGET_ALONE
    from budwood.transfer.few_shot.conclusion import decided_sizes

    found, results = result.found, result.found.results
    return {
        "version": VERSION,
        "source": _joined(result),
        "sources": [
            {**_side(side), "shared_loci": _overlap(found, name)}
            for side, name in zip(result.sources, found.carried, strict=True)
        ],
        "target": _side(result.target),
        "outcome": str(found.outcome),
        "main_arm": found.main_arm,
        "gain": _gains(results, found.main_arm),
        "harmful_at": list(decided_sizes(results, found.main_arm, -1)),
        "useful_at": list(decided_sizes(results, found.main_arm, 1)),
        "heads": {name: _test(test, len(found.tests)) for name, test in found.tests.items()},
        "lines_to_0.6": {name: _needed(results, name) for name in (TARGET_ALONE, found.main_arm)},
        "plateau": {name: _plateau(results, name) for name in (TARGET_ALONE, found.main_arm)},
        "delta_rejected": {
            head: {str(size): float((p < 0.05).mean()) for size, p in by.items()}
            for head, by in results.p_values.items()
        },
        "geometry": {name: _axis(each) for name, each in found.geometry.items()},
        "shared_loci": _overlap(found, *found.carried) if len(found.carried) == 1 else None,
        "sizes": list(results.sizes),
        "draws": results.design.draws,
        "phenotyped": results.lines,
        "test_lines": results.test_lines,
        "arms": {name: _arm(results, name) for name in results.r},
        "phenotype_first": []
        if result.next_lines is None
        else [line.accession for line in result.next_lines.lines],
        "phenotype_first_beside": 0 if result.next_lines is None else result.next_lines.phenotyped,
        "notes": list(result.notes),
    }


def write_accuracy(path: Path, record: dict[str, Any]) -> None:
    """Write a row for each arm and number of phenotyped lines."""
    rows: list[list[Cell]] = []
    for arm, by in record["arms"].items():
        for size, each in by.items():
            gain = each["difference"] or {}
            numbers = [
                each["r"]["mean"],
                each["r"]["lower"],
                each["r"]["upper"],
                each["r_within_clusters"]["mean"],
                gain.get("mean"),
                gain.get("lower"),
                gain.get("upper"),
                each["best_quarter"],
                each["best_quarter_expected"],
            ]
            rows.append([arm, int(size), *(cell(_NAN if v is None else v, 6) for v in numbers)])
    write_table(path, COLUMNS, rows)


def write_scores(path: Path, result: TransferResult) -> None:
    """Write the score of every target line by head, without any target phenotype; best first by the first."""
    carried = result.found.carried
    scores = {
        head if len(carried) == 1 else f"{head} of {name}": score
        for name, each in carried.items()
        for head, score in each.scores.items()
    }
    target = result.target
    known = dict(zip(target.rows.tolist(), target.y.tolist(), strict=True))
    names = target.genotypes.accessions
    order = list(range(len(names)))
    if scores:
        first = next(iter(scores.values()))
        order = sorted(order, key=lambda row: (-first[row], names[row]))
    rows: list[list[Cell]] = [
        [names[row], cell(known.get(row, _NAN)), *(cell(float(each[row])) for each in scores.values())]
        for row in order
    ]
    header = ("accession", "observed", *(f"score by {name}" for name in scores))
    write_table(path, header, rows)


def write_next_lines(path: Path, chosen: PhenotypeNext) -> None:
    """Write the lines to phenotype first, the most informative first."""
    rows: list[list[Cell]] = [
        [order, line.accession, cell(line.expected_accuracy_after), line.reason]
        for order, line in enumerate(chosen.lines, start=1)
    ]
    write_table(path, ("order", "accession", "expected_accuracy_after", "reason"), rows)


def _side(side: Any) -> dict[str, Any]:
    n, m = side.genotypes.dosage.shape
    return {
        "name": side.name,
        "trait": side.trait,
        "accessions": n,
        "markers": m,
        "phenotyped": len(side.y),
        "provenance": side.provenance or None,
        "model": side.digest or None,
    }


def _joined(result: TransferResult) -> dict[str, Any]:
    """The only source, or what several have together."""
    sides = [_side(side) for side in result.sources]
    if len(sides) == 1:
        return sides[0]
    stated = {side["provenance"] for side in sides}
    return {
        "name": " + ".join(side["name"] for side in sides),
        "trait": " + ".join(dict.fromkeys(side["trait"] for side in sides)),
        **{count: sum(side[count] for side in sides) for count in ("accessions", "markers", "phenotyped")},
        "provenance": stated.pop() if len(stated) == 1 else "mixed",
        "model": None,
    }


def _axis(found: AxisGeometry) -> dict[str, Any]:
    return {
        name: finite(value) if isinstance(value, float) else value for name, value in asdict(found).items()
    }


def _interval(found: ConfidenceInterval) -> dict[str, float]:
    return {"mean": float(found.mean), "lower": float(found.lower), "upper": float(found.upper)}


def _gains(results: FewShotResults, arm: str) -> dict[str, Any]:
    """Accuracy without phenotypes, and the difference from the target alone at each size."""
    from budwood.transfer.few_shot.arms import ALL_SOURCES, DIRECT

    direct = [name for name in results.r if name.endswith(f": {DIRECT}")]
    direct.sort(key=lambda name: not name.startswith(f"{ALL_SOURCES}:"))
    gains: dict[str, Any] = {"0": _interval(results.interval(direct[0], 0)) if direct else None}
    for size in results.sizes:
        if size > 0:
            gains[str(size)] = _interval(results.difference(arm, size))
    return gains


def _test(test: Any, tests: int) -> dict[str, Any]:
    return {
        "r": finite(test.r),
        "r_within_clusters": finite(test.within_r),
        "p_random_source": finite(test.p_random),
        "p_value": finite(test.p_value),
        "inflation": finite(test.inflation),
        "positive": test.positive,
        "related": test.related(tests),
    }


def _needed(results: FewShotResults, arm: str) -> dict[str, Any]:
    from budwood.transfer.few_shot.learning_curve import lines_needed

    curve = {size: r for size, r in results.curve(arm).items() if size > 0}
    if not curve:
        return {"lines": None, "text": "not measured"}
    found = lines_needed(curve)
    return {"lines": found.lines, "text": found.text}


def _plateau(results: FewShotResults, arm: str) -> dict[str, Any]:
    from budwood.transfer.few_shot.learning_curve import fitted_curve, plateau

    if max(results.sizes) == 0:
        return {"lines": None, "limit": None, "half": None}
    fitted = fitted_curve(results.curve(arm))
    return {
        "lines": plateau(results, arm),
        "limit": None if fitted is None else fitted.limit,
        "half": None if fitted is None else fitted.half,
    }


def _overlap(found: TransferComparison, source: str) -> dict[str, Any] | None:
    overlap, loci = found.overlaps[source], found.carried[source].loci
    if overlap is None or loci is None:
        return None
    return {
        "kind": loci.kind,
        "loci": len(loci),
        "leading_in_source": overlap.loci,
        "importance_in_target": overlap.observed,
        "expected_at_random": overlap.expected,
        "p_value": overlap.p_value,
        "leading_in_both": list(overlap.leading),
    }


def _arm(results: FewShotResults, arm: str) -> dict[str, Any]:
    from budwood.transfer.few_shot.arms import TARGET_ALONE
    from budwood.transfer.few_shot.learning_curve import expected_top_overlap

    found = {}
    for size in results.r[arm]:
        r = results.interval(arm, size)
        compared = arm != TARGET_ALONE and size in results.r.get(TARGET_ALONE, {})
        found[str(size)] = {
            "r": _interval(r),
            "r_within_clusters": _interval(results.interval(arm, size, within=True)),
            "difference": _interval(results.difference(arm, size)) if compared else None,
            "best_quarter": float(results.top[arm][size].mean()),
            "best_quarter_expected": expected_top_overlap(float(r.mean)),
        }
    return found
