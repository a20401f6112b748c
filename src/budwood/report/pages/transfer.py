"""The report of a transfer: is the source worth trying, what to expect, what to phenotype first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from budwood.report.frame import page_environment, report_asset, write_page
from budwood.report.numerals import NONE, between, fixed, percent
from budwood.transfer.few_shot.design import FEWEST_DRAWS

#: What an outcome means, for a breeder.
MEANINGS: Final[Mapping[str, str]] = {
    "useful": "Worth using: together with the target's own phenotypes the source ranks lines better than the "
    "target alone.",
    "useful without phenotypes only": "Worth trying where nothing is phenotyped yet: the source ranks lines "
    "better than a random trait would. Beside the target's own phenotypes no gain was shown.",
    "no gain": "Related, but not worth much: the source's trait acts through some of the same loci, and no "
    "gain in accuracy was shown.",
    "no better than random": "Not worth using: the source ranks the target's lines no better than a random "
    "trait of the source would.",
    "harmful": "Do not use: with the source, predictions are less accurate than with the target alone.",
    "too few draws": "Related, but not measured well enough: so few draws of test lines show neither a gain "
    "nor a loss beside the target's own phenotypes. Run it again with --draws 30.",
}
#: What the names of ways and models mean, by what they contain.
_WORDS: Final[Mapping[str, str]] = {
    "shared markers": "Shared markers: the source's effects of the markers that both sides have score the "
    "target's lines.",
    "gene burdens": "Gene burdens: the variants of each gene are added up, and the source's effects of these "
    "sums score the target's lines.",
    "locus importance": "Locus importance: markers of the target weigh as much as their gene or place "
    "matters to the source's trait; the directions of effects are learned from the target.",
    "pooled embeddings": "Pooled embeddings: the source's effects of the mean vector of a line's sequence "
    "score the target's lines.",
    "embeddings by locus": "Embeddings by locus: the same with a vector for each gene.",
    "target alone": "Target alone: a model of the target's own phenotypes, without the source. It is what a "
    "source has to beat.",
    "stack": "Stack: all ways and the target alone together, weighted by how well they predict.",
    "source alone": "Source alone: the target's lines are scored without any of their phenotypes.",
    "random source trait": "Controls (a random trait of the source, shuffled orthology, random weights, "
    "principal components, from scratch) ought to gain nothing: a way that gains no more than they do has "
    "carried nothing over.",
}


@dataclass(frozen=True)
class TransferRow:
    """One arm at one number of phenotyped lines, as text.

    Attributes
    ----------
    arm
        Name of the arm.
    lines
        Number of phenotyped lines.
    r, within, difference, best
        Texts: r over all lines and within clusters, difference from target-only GBLUP, and share of the best
        quarter found.
    control
        Whether the arm is a control.
    main
        Whether it is the arm that the conclusion is about.
    """

    arm: str
    lines: str
    r: str
    within: str
    difference: str
    best: str
    control: bool
    main: bool


def write_transfer_report(path: Path, record: Mapping[str, Any]) -> None:
    """Write the report of a transfer: one HTML file that needs nothing beside itself.

    Parameters
    ----------
    path
        The file to write.
    record
        The result, as transfer.json has it.
    """
    write_page(path, render_transfer(record))


def render_transfer(record: Mapping[str, Any]) -> str:
    """The report as a string of HTML.

    Parameters
    ----------
    record
        The result, as transfer.json has it.

    Returns
    -------
    str
        A page without external resources.
    """
    return (
        page_environment()
        .get_template("transfer.html")
        .render(
            style=Markup(report_asset("report.css")),
            record=record,
            meaning=MEANINGS[record["outcome"]],
            rows=_rows(record),
            words=_words(record),
            expect=expectations(record),
            tests=_tests(record),
            overlaps=_overlaps(record),
            geometry=_geometry(record),
            axes=_axes(record),
        )
    )


def expectations(record: Mapping[str, Any]) -> list[str]:
    """What a breeder can expect, a sentence each.

    Parameters
    ----------
    record
        The result, as transfer.json has it.

    Returns
    -------
    list[str]
        Sentences.
    """
    found = []
    direct = record["gain"].get("0")
    if direct is not None:
        found.append(
            f"Without any phenotype, the source's score correlates {fixed(direct['mean'], 2)} with the trait "
            f"(95 % interval {between(direct['lower'], direct['upper'], 2)})."
        )
    tried = [str(size) for size in record["sizes"] if size > 0]
    for size in [size for size in ("50", "150") if size in tried] or tried[-1:]:
        gain = record["gain"].get(size)
        if gain is not None:
            found.append(
                f"With {size} phenotyped lines, the source changes r by {_signed(gain['mean'])} "
                f"({between(gain['lower'], gain['upper'], 2)})."
            )
    if record["draws"] < FEWEST_DRAWS:
        found.append(
            f"{record['draws']} draws show neither a gain nor a loss; {FEWEST_DRAWS} can. The figures are "
            "a first look."
        )
    for arm, needed in record["lines_to_0.6"].items():
        found.append(f"Phenotyped lines that reach r = 0.6, {_plain(arm)}: {needed['text']}.")
    if tried and any(needed["lines"] is None for needed in record["lines_to_0.6"].values()):
        found.append(
            f"{int(tried[-1]):,} is the largest number that was tried; of the {record['phenotyped']:,} "
            f"phenotyped lines {record['test_lines']:,} are kept to test on."
        )
    plateau = record["plateau"].get(record["main_arm"], {}).get("lines")
    if plateau is not None:
        found.append(f"From {plateau:,} phenotyped lines on, more of them add less than 0.02 to r.")
    elif len(tried) > 1:
        found.append("No plateau was shown: more phenotyped lines may still add to accuracy.")
    return found


def _words(record: Mapping[str, Any]) -> list[str]:
    """A sentence for every name that stands in the tables."""
    named = " ".join((*record["heads"], *record["arms"]))
    return [
        "r: correlation between predicted and observed values of lines that the model has not seen; 0 is "
        "chance, 1 perfect.",
        *(sentence for name, sentence in _WORDS.items() if name in named),
    ]


def _rows(record: Mapping[str, Any]) -> list[TransferRow]:
    found = []
    for arm, by in record["arms"].items():
        for size, each in by.items():
            r, gain = each["r"], each["difference"]
            found.append(
                TransferRow(
                    arm=arm,
                    lines=size,
                    r=f"{fixed(r['mean'], 2)} ({between(r['lower'], r['upper'], 2)})",
                    within=fixed(each["r_within_clusters"]["mean"], 2),
                    difference=NONE
                    if gain is None
                    else f"{_signed(gain['mean'])} ({between(gain['lower'], gain['upper'], 2)})",
                    best=f"{percent(each['best_quarter'])} ({percent(each['best_quarter_expected'])})",
                    control=any(word in arm for word in ("random", "shuffled", "from scratch"))
                    or arm.startswith("principal"),
                    main=arm == record["main_arm"],
                )
            )
    return sorted(found, key=lambda row: int(row.lines))


def _tests(record: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "head": name,
            "within": fixed(_number(test["r_within_clusters"]), 2),
            "random": _p(test["p_random_source"]),
            "p": _p(test["p_value"]),
            "related": "yes" if test["related"] else "no",
        }
        for name, test in record["heads"].items()
    ]


def _overlaps(record: Mapping[str, Any]) -> list[str]:
    sources = record["sources"]
    named = [f"{each['name']}: " if len(sources) > 1 else "" for each in sources]
    found = [(name, each["shared_loci"]) for name, each in zip(named, sources, strict=True)]
    return [name + _overlap(each) for name, each in found if each is not None]


def _geometry(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Of each head, where the source's axis lies among the target's lines, as text."""
    return [
        {
            "head": head,
            "trait": f"{fixed(each['trait_r'], 2)} ({fixed(each['trait_angle'], 0)}\u00b0)",
            "main": _beside_random(each["main_r"], each["random_main_r"]),
            "second": _beside_random(each["second_r"], each["random_second_r"]),
            "structure": percent(each["structure_share"]),
            "spread": fixed(_number(each["spread"]), 2),
            "along": f"{each['along']:.3g}",
            "beside": f"{each['beside']:.3g}",
        }
        for head, each in record["geometry"].items()
    ]


def _axes(record: Mapping[str, Any]) -> str:
    """What the target's two axes are worth, the same beside every head; empty without any."""
    for each in record["geometry"].values():
        return (
            f"The main axis holds {percent(each['main_share'])} of the differences between lines and the "
            f"secondary axis {percent(each['second_share'])}; the trait's own axis, the genetic "
            f"values from all phenotypes, correlates {fixed(each['trait_main_r'], 2)} and "
            f"{fixed(each['trait_second_r'], 2)} with them."
        )
    return ""


def _beside_random(value: float, random: float | None) -> str:
    return fixed(value, 2) if random is None else f"{fixed(value, 2)} ({fixed(random, 2)})"


def _overlap(found: Mapping[str, Any]) -> str:
    return (
        f"Of {found['loci']:,} {found['kind']}, the {found['leading_in_source']} that matter most in the "
        f"source have a mean importance of {fixed(found['importance_in_target'], 2)} in the target; as many "
        f"at random places {fixed(found['expected_at_random'], 2)} (p {_p(found['p_value'])})."
    )


def _plain(arm: str) -> str:
    return "target alone" if arm.endswith("target alone") else "with the source"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + fixed(value, 3)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _p(value: float | None) -> str:
    if value is None:
        return NONE
    return "< 0.001" if value < 0.001 else fixed(value, 3)
