"""What an adaptation changes in probes of a species with genes: coding bases, introns and donor sites.

The same bases, sites, halves and fits before and after, so that differences are paired. Nothing is kept in
the cache of vectors: an adapter in training has one digest for all its states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.config import CENTRE_BASES, WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.model.checkpoint import Checkpoint
from budwood.probing.base_regions import class_probabilities
from budwood.probing.centre_features import SITE_MARKS
from budwood.probing.forgetting import HeldOutWindows
from budwood.probing.linear import LinearProbe, compare_auroc
from budwood.probing.sites import SiteSet, collect_sites
from budwood.probing.stretches import REGIONS_OF_CLASS
from budwood.progress import progress
from budwood.stats.evaluation.metrics import auroc

#: Donor sites of a species at most, each with a decoy, and bases that a linear probe is fitted on.
SITES: Final = 100
_FITTED: Final = 1500
#: Examples of either class below which nothing is scored.
_FEWEST: Final = 20
_BATCH: Final = 16
_DRAWS: Final = 300

_CODING, _INTRON, _INTERGENIC = range(3)


@dataclass(frozen=True, eq=False)
class ProbedSpecies:
    """What is probed of one species.

    Attributes
    ----------
    name
        Name of the species or file.
    codes
        (windows, 512) bases, none masked.
    rows, columns
        (q,) bases that are classified.
    label
        (q,) 0 coding, 1 intron, 2 intergenic; -1 for others.
    sites
        Donor sites with decoys of the same genes; None where there are none.
    """

    name: str
    codes: NDArray[np.uint8]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    label: NDArray[np.int8]
    sites: SiteSet | None


@dataclass(frozen=True, kw_only=True)
class ProbeChange:
    """AUROC of a probe on the same examples before and after an adaptation.

    Attributes
    ----------
    name
        Name of the species or file.
    probe
        Classes that are distinguished, and by what.
    examples
        Number of scored examples.
    before, after
        AUROC.
    difference, lower, upper
        After minus before, and its 95 % bootstrap interval, which draws whole windows.
    """

    name: str
    probe: str
    examples: int
    before: float
    after: float
    difference: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class ProbeScores:
    """Scores of the examples of one probe.

    Attributes
    ----------
    score
        (rows,) higher for true examples.
    truth
        (rows,) true and false.
    groups
        (rows,) number of the window of each.
    """

    score: NDArray[np.float64]
    truth: NDArray[np.bool_]
    groups: NDArray[np.intp]


def probed_species(
    windows: HeldOutWindows,
    assembly: Assembly | None = None,
    annotation: Annotation | None = None,
    *,
    seed: int = 0,
) -> ProbedSpecies | None:
    """What can be probed of a species: base classes of its windows, and donor sites of its genes.

    Parameters
    ----------
    windows
        Windows with the classes of single bases.
    assembly, annotation
        Sequence and genes for the sites; without them base classes alone are probed.
    seed
        Seed of the choice of sites.

    Returns
    -------
    ProbedSpecies or None
        None where no base has a class and there is no site.
    """
    hidden = windows.hidden
    label = np.full(len(hidden.region), -1, dtype=np.int8)
    for number, classes in enumerate(REGIONS_OF_CLASS):
        label[np.isin(hidden.region, classes)] = number
    sites = None
    if assembly is not None and annotation is not None:
        try:
            sites = collect_sites(assembly, annotation, "donor", limit=SITES, seed=seed)
        except BudwoodError:
            sites = None  # genes of one exon have no donors
    if sites is None and not (label >= 0).any():
        return None
    return ProbedSpecies(windows.name, hidden.codes, hidden.rows, hidden.columns, label, sites)


def probe_scores(
    species: ProbedSpecies, checkpoint: Checkpoint, *, show: bool | None = None
) -> dict[str, ProbeScores]:
    """Run every probe of a species that has examples enough.

    Parameters
    ----------
    species
        What is probed.
    checkpoint
        The encoder.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    dict
        Scores by name of the probe; those of linear probes are of the half of the windows that they were not
        fitted on.
    """
    found: dict[str, ProbeScores] = {}
    if (species.label >= 0).any():
        regions, vectors = _at_bases(species, checkpoint, show)
        log_odds = np.log(class_probabilities(regions) + 1e-9)
        coding, intron, intergenic = (species.label == each for each in (_CODING, _INTRON, _INTERGENIC))
        _keep(
            found,
            "coding bases, region head",
            log_odds[:, _CODING],
            coding,
            species,
            coding | intron | intergenic,
        )
        against = log_odds[:, _INTRON] - log_odds[:, _INTERGENIC]
        _keep(found, "introns against intergenic, region head", against, intron, species, intron | intergenic)
        known = np.flatnonzero(species.label >= 0)
        _linear(found, "coding bases, linear probe", vectors[known], coding[known], species.rows[known])
    if species.sites is not None:
        own, vectors = _at_sites(species.sites, checkpoint, show)
        truth, pairs = species.sites.is_site, np.arange(len(own)) // 2
        if min(truth.sum(), (~truth).sum()) >= _FEWEST:
            found["donor sites, region head"] = ProbeScores(own, truth, pairs)
        _linear(found, "donor sites, linear probe", vectors, truth, pairs)
    return found


def probe_changes(
    species: ProbedSpecies, before: Mapping[str, ProbeScores], after: Mapping[str, ProbeScores]
) -> tuple[ProbeChange, ...]:
    """Compare the probes of one species.

    Parameters
    ----------
    species
        What was probed.
    before, after
        From :func:`probe_scores`.

    Returns
    -------
    tuple of ProbeChange
        One for each probe.
    """
    changes = []
    for probe, one in before.items():
        other = after[probe]
        gain = compare_auroc(other.score, one.score, one.truth, groups=one.groups, draws=_DRAWS)
        changes.append(
            ProbeChange(
                name=species.name,
                probe=probe,
                examples=len(one.truth),
                before=auroc(one.score, one.truth),
                after=auroc(other.score, one.truth),
                difference=gain.difference,
                lower=gain.lower,
                upper=gain.upper,
            )
        )
    return tuple(changes)


def describe_probes(changes: Sequence[ProbeChange], control: Sequence[ProbeChange] = ()) -> str:
    """What the probes say, in plain words.

    Parameters
    ----------
    changes
        After the adaptation.
    control
        After full fine-tuning; empty for none.

    Returns
    -------
    str
        A sentence for each kind of probe and species; empty where there is none.

    Examples
    --------
    >>> change = ProbeChange(name="rice", probe="coding bases, linear probe", examples=900, before=0.91,
    ...     after=0.9, difference=-0.01, lower=-0.02, upper=0.001)
    >>> describe_probes([change])
    'Probes (AUROC before and after): rice, coding bases, linear probe .910, .900 (-.010, -.020 to +.001).'
    """
    if not changes:
        return ""
    others = {(each.name, each.probe): each for each in control}
    parts = []
    for each in changes:
        figures = f"{_short(each.before)}, {_short(each.after)} ({_interval(each)})"
        full = others.get((each.name, each.probe))
        after = "" if full is None else f", full fine-tuning {_short(full.after)} ({_interval(full)})"
        parts.append(f"{each.name}, {each.probe} {figures}{after}")
    return f"Probes (AUROC before and after): {'; '.join(parts)}."


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def _interval(change: ProbeChange) -> str:
    low, point, high = (
        f"{value:+.3f}".replace("0.", ".", 1) for value in (change.lower, change.difference, change.upper)
    )
    return f"{point}, {low} to {high}"


def _keep(
    found: dict[str, ProbeScores],
    name: str,
    score: NDArray[np.float64],
    truth: NDArray[np.bool_],
    species: ProbedSpecies,
    scored: NDArray[np.bool_],
) -> None:
    if min(truth[scored].sum(), (~truth[scored]).sum()) >= _FEWEST:
        found[name] = ProbeScores(score[scored], truth[scored], species.rows[scored])


def _linear(
    found: dict[str, ProbeScores],
    name: str,
    vectors: NDArray[np.float32],
    truth: NDArray[np.bool_],
    groups: NDArray[np.intp],
) -> None:
    """Fit on every other window, score the others."""
    fitted = groups % 2 == 0
    least = min(part.sum() for half in (fitted, ~fitted) for part in (truth[half], ~truth[half]))
    if least < _FEWEST:
        return
    chosen = np.flatnonzero(fitted)
    if len(chosen) > _FITTED:
        chosen = np.random.default_rng(0).permutation(chosen)[:_FITTED]
    probe = LinearProbe(balanced=True).fit(vectors[chosen], truth[chosen])
    found[name] = ProbeScores(probe.decision(vectors[~fitted]), truth[~fitted], groups[~fitted])


def _at_bases(
    species: ProbedSpecies, checkpoint: Checkpoint, show: bool | None
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Probabilities of the base classes and vectors of the bases that are classified."""
    config = checkpoint.encoder.config
    regions = np.empty((len(species.rows), config.regions))
    vectors = np.empty((len(species.rows), config.embedding_size), dtype=np.float32)
    with torch.inference_mode(), progress("probing", total=len(species.codes), show=show) as advance:
        for begin in range(0, len(species.codes), _BATCH):
            piece = torch.from_numpy(species.codes[begin : begin + _BATCH].astype(np.int64))
            reading = checkpoint.encoder(piece.to(checkpoint.device))
            asked = np.flatnonzero((species.rows >= begin) & (species.rows < begin + len(piece)))
            places = species.rows[asked] - begin, species.columns[asked]
            regions[asked] = reading.regions.float().softmax(-1).cpu().numpy()[places]
            vectors[asked] = reading.last_hidden_state.float().cpu().numpy()[places]
            advance(len(piece))
    return regions, vectors


def _at_sites(
    sites: SiteSet, checkpoint: Checkpoint, show: bool | None
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Log probability of the site's own class at the bases it marks, and vectors of the middle bases."""
    mark, (first, last) = SITE_MARKS[sites.kind]
    middle = WINDOW // 2
    own, vectors = [], []
    with torch.inference_mode(), progress("probing sites", total=len(sites.windows), show=show) as advance:
        for begin in range(0, len(sites.windows), _BATCH):
            piece = torch.from_numpy(sites.windows[begin : begin + _BATCH].astype(np.int64))
            reading = checkpoint.encoder(piece.to(checkpoint.device))
            marked = reading.regions[:, middle + first : middle + last].float().log_softmax(-1)
            own.append(marked[..., int(mark)].mean(1).cpu().double().numpy())
            half = CENTRE_BASES // 2
            centre = reading.last_hidden_state[:, middle - half : middle + half].float().mean(1)
            vectors.append(centre.cpu().numpy())
            advance(len(piece))
    return np.concatenate(own), np.concatenate(vectors)
