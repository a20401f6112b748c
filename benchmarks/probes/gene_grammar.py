"""Read predicted base classes with the grammar of genes: a hidden Markov model over predictions.

The encoder predicts each base by itself. Genes have a grammar: codons follow one another, an intron begins
with a donor, ends with an acceptor and keeps the reading frame, coding sequence begins and ends with start
and stop codons. The model has a state for every place in that grammar on either strand; the predictions of
the encoder, divided by the shares of the classes, stand for the likelihood of a base in each state (Bourlard
and Morgan 1994). No labels of the species are needed. Used by species_conditioning.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass

_FLOOR: Final = 1e-4


@dataclass(frozen=True, kw_only=True)
class StructureConfig:
    """Mean lengths in bases, and how far predictions count.

    Attributes
    ----------
    intergenic, utr, exon, intron
        Mean lengths of the sequence between genes, of untranslated parts between introns, of the coding part
        of an exon, and of an intron; lengths are geometric.
    coding
        Mean coding length of a gene.
    trust
        Exponent of the predictions' likelihood, above 0 and up to 1: predictions of neighbouring bases repeat
        each other, so that less than 1 is due.
    """

    intergenic: float = 3000.0
    utr: float = 200.0
    exon: float = 220.0
    intron: float = 300.0
    coding: float = 1200.0
    trust: float = 0.5


@dataclass(frozen=True)
class _Grammar:
    """States: base class of each, transition probabilities, and probabilities of the first state."""

    classes: NDArray[np.intp]
    transition: NDArray[np.float64]
    first: NDArray[np.float64]


def decode_structure(
    log_chances: NDArray[np.floating], shares: NDArray[np.floating], config: StructureConfig | None = None
) -> NDArray[np.float32]:
    """(s, length, classes) probabilities, given all predictions along a sequence and the grammar of genes.

    ``log_chances``: (s, length, classes) logarithms of the predicted probabilities on the forward strand;
    ``shares``: (classes,) shares of the classes among bases, which predictions are divided by. Posteriors of
    the forward-backward algorithm (Rabiner 1989); a gene may begin or end outside the sequence.
    """
    config = config or StructureConfig()
    grammar = _grammar(config)
    likelihood = np.exp(config.trust * (log_chances - np.log(np.maximum(shares, _FLOOR))))
    emitted = np.maximum(likelihood, 1e-30)[..., grammar.classes].astype(np.float32)
    states = _forward_backward(emitted, grammar)
    found = np.zeros((*log_chances.shape[:2], len(BaseClass)), dtype=np.float32)
    for state, kind in enumerate(grammar.classes):
        found[..., kind] += states[..., state]
    return found


def _forward_backward(emitted: NDArray[np.float32], grammar: _Grammar) -> NDArray[np.float32]:
    """(s, length, states) posterior probabilities; scaled at every base."""
    sequences, length, states = emitted.shape
    onward = grammar.transition.astype(np.float32)
    ahead = np.empty_like(emitted)
    belief = np.broadcast_to(grammar.first.astype(np.float32), (sequences, states))
    for place in range(length):
        belief = (belief if place == 0 else belief @ onward) * emitted[:, place]
        belief = belief / belief.sum(-1, keepdims=True)
        ahead[:, place] = belief
    back = onward.T.copy()
    after = np.ones((sequences, states), dtype=np.float32)
    for place in range(length - 2, -1, -1):
        after = (after * emitted[:, place + 1]) @ back
        after = after / after.sum(-1, keepdims=True)
        ahead[:, place] *= after
    return ahead / ahead.sum(-1, keepdims=True)


def _grammar(config: StructureConfig) -> _Grammar:
    forward = _forward_states(config)
    # Read from its end, the other strand has the reversed transitions between the complement classes; the
    # strands share the states between genes and of untranslated sequence.
    shared = 2
    own = len(forward.classes) - shared
    total = shared + 2 * own
    classes = np.concatenate([forward.classes, np.array(COMPLEMENT_REGION)[forward.classes[shared:]]])
    stationary = _stationary(forward.transition)
    turned = forward.transition.T * stationary / stationary[:, None]
    transition = np.zeros((total, total))
    one = np.arange(shared + own)
    other = np.concatenate([np.arange(shared), np.arange(shared + own, total)])
    # Between genes either strand may begin: both halves count half.
    transition[np.ix_(one, one)] += forward.transition * np.where(one < shared, 0.5, 1.0)[:, None]
    transition[np.ix_(other, other)] += turned * np.where(one < shared, 0.5, 1.0)[:, None]
    first = np.zeros(total)
    first[one] += stationary / 2
    first[other] += stationary / 2
    return _Grammar(classes, transition, first)


def _stationary(transition: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eig(transition.T)
    found = np.abs(np.real(vectors[:, np.argmin(np.abs(values - 1))]))
    share: NDArray[np.float64] = found / found.sum()
    return share


def _forward_states(config: StructureConfig) -> _Grammar:
    """States of the forward strand: between genes, untranslated, start, codons, introns by frame, stop."""
    names: list[str] = ["intergenic", "utr"]
    kinds = [BaseClass.INTERGENIC, BaseClass.UTR]
    for mark, kind in (("start", BaseClass.START_FORWARD), ("stop", BaseClass.STOP_FORWARD)):
        names += [f"{mark}{k}" for k in range(3)]
        kinds += [kind] * 3
    for frame, kind in enumerate(
        (BaseClass.CODING_FORWARD_0, BaseClass.CODING_FORWARD_1, BaseClass.CODING_FORWARD_2)
    ):
        names.append(f"codon{frame}")
        kinds.append(kind)
    for where in ("0", "1", "2", "u"):
        names += [
            f"donor{where}a",
            f"donor{where}b",
            f"intron{where}",
            f"acceptor{where}a",
            f"acceptor{where}b",
        ]
        kinds += [BaseClass.DONOR_FORWARD] * 2 + [BaseClass.INTRON] + [BaseClass.ACCEPTOR_FORWARD] * 2
    number = {name: place for place, name in enumerate(names)}
    transition = np.zeros((len(names), len(names)))

    def lead(start: str, **ends: float) -> None:
        for end, chance in ends.items():
            transition[number[start], number[end]] += chance

    leave = 1 / config.intergenic
    # A gene begins with untranslated sequence or, where none is annotated, with its start codon.
    lead("intergenic", intergenic=1 - leave, utr=leave / 2, start0=leave / 2)
    end = 1 / config.utr
    lead("utr", utr=1 - end, intergenic=end / 2, start0=0.4 * end, donorua=0.1 * end)
    lead("start0", start1=1.0)
    lead("start1", start2=1.0)
    lead("start2", codon0=1.0)
    split = 1 / config.exon
    stop = 3 / config.coding
    lead("codon0", codon1=1 - split, donor1a=split)
    lead("codon1", codon2=1 - split, donor2a=split)
    lead("codon2", codon0=1 - split - stop, donor0a=split, stop0=stop)
    lead("stop0", stop1=1.0)
    lead("stop1", stop2=1.0)
    lead("stop2", utr=0.5, intergenic=0.5)
    stay = 1 - 1 / config.intron
    for where, then in (("0", "codon0"), ("1", "codon1"), ("2", "codon2"), ("u", "utr")):
        lead(f"donor{where}a", **{f"donor{where}b": 1.0})
        lead(f"donor{where}b", **{f"intron{where}": 1.0})
        lead(f"intron{where}", **{f"intron{where}": stay, f"acceptor{where}a": 1 - stay})
        lead(f"acceptor{where}a", **{f"acceptor{where}b": 1.0})
        lead(f"acceptor{where}b", **{then: 1.0})
    return _Grammar(np.array([int(kind) for kind in kinds]), transition, np.zeros(len(names)))
