"""Adapt predicted base classes to a species without labels: the grammar of genes, and standardising.

The encoder predicts each base by itself. Genes have a grammar: codons follow one another, an intron begins
with a donor, ends with an acceptor and keeps the reading frame, coding sequence begins and ends with start
and stop codons. A hidden Markov model has a state for every place in that grammar on either strand; the
predictions of the encoder, divided by the shares of the classes, stand for the likelihood of a base in each
state (Bourlard and Morgan 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass

_FLOOR: Final = 1e-4
_LEAST: Final = 1e-30
#: Sequences decoded together.
_PART: Final = 30


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

    Raises
    ------
    BudwoodError
        If a length is below 2 bases, or the trust is not above 0 and up to 1.
    """

    intergenic: float = 3000.0
    utr: float = 200.0
    exon: float = 220.0
    intron: float = 300.0
    coding: float = 1200.0
    trust: float = 0.3

    def __post_init__(self) -> None:
        for name in ("intergenic", "utr", "exon", "intron", "coding"):
            if not getattr(self, name) >= 2:
                raise BudwoodError(
                    f"the mean length {name} is {getattr(self, name)}", mend="give at least 2 bases"
                )
        if not 0 < self.trust <= 1:
            raise BudwoodError(f"the trust is {self.trust}", mend="give one above 0 and up to 1")


@dataclass(frozen=True)
class _Grammar:
    """States: base class of each, transition probabilities, and probabilities of the first state."""

    classes: NDArray[np.intp]
    transition: NDArray[np.float64]
    first: NDArray[np.float64]


def decode_structure(
    log_chances: NDArray[np.floating], shares: NDArray[np.floating], config: StructureConfig | None = None
) -> NDArray[np.float32]:
    """Probabilities of base classes given the predictions of a whole sequence and the grammar of genes.

    Parameters
    ----------
    log_chances
        (s, length, classes) logarithms of the predicted probabilities of each
        :class:`~budwood.genomics.annotation.base_class.BaseClass` on the forward strand.
    shares
        (classes,) shares of the classes among bases, which the predictions are divided by: for instance the
        mean prediction over a genome.
    config
        Lengths and trust.

    Returns
    -------
    numpy.ndarray
        (s, length, classes) probabilities; those of a base add up to 1.

    Raises
    ------
    BudwoodError
        If the shapes do not fit.

    Notes
    -----
    Posterior probabilities by the forward-backward algorithm (Rabiner 1989). A gene may begin or end outside
    the sequence. The sequences are decoded in parts, since 60 states of every base are kept.

    Examples
    --------
    >>> even = np.full((1, 12, len(BaseClass)), -np.log(len(BaseClass)))
    >>> found = decode_structure(even, np.full(len(BaseClass), 1 / len(BaseClass)))
    >>> found.shape, bool(np.allclose(found.sum(-1), 1))
    ((1, 12, 17), True)
    """
    if log_chances.ndim != 3 or log_chances.shape[-1] != len(BaseClass) or shares.shape != (len(BaseClass),):
        raise BudwoodError(
            f"predictions of shape {log_chances.shape} and shares of shape {shares.shape} do not fit",
            mend=f"give (sequences, bases, {len(BaseClass)}) and ({len(BaseClass)},)",
        )
    config = config or StructureConfig()
    grammar = _grammar(config)
    found = np.zeros(log_chances.shape, dtype=np.float32)
    for begin in range(0, len(found), _PART):
        part = slice(begin, begin + _PART)
        likelihood = np.exp(config.trust * (log_chances[part] - np.log(np.maximum(shares, _FLOOR))))
        emitted = np.maximum(likelihood, _LEAST)[..., grammar.classes].astype(np.float32)
        states = _forward_backward(emitted, grammar)
        for state, kind in enumerate(grammar.classes):
            found[part, :, kind] += states[..., state]
    return found


def move_shares(
    chances: NDArray[np.floating], like: NDArray[np.floating], way: float = 0.5
) -> NDArray[np.float64]:
    """Shift and scale the logarithms of class probabilities towards those of another species.

    Parameters
    ----------
    chances
        (..., classes) class probabilities of bases of a species.
    like
        (..., classes) those of the species on which a classifier of them is fitted.
    way
        Share of the way towards the means and standard deviations of ``like``, 0 to 1.

    Returns
    -------
    numpy.ndarray
        (..., classes) probabilities of the species; those of a base add up to 1.

    Raises
    ------
    BudwoodError
        If the share is not from 0 to 1.

    Examples
    --------
    >>> shy = np.array([[0.8, 0.2], [0.6, 0.4]])
    >>> bold = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> move_shares(shy, bold, 1.0).round(2).tolist()
    [[0.9, 0.1], [0.1, 0.9]]
    """
    if not 0 <= way <= 1:
        raise BudwoodError(f"the share of the way is {way}", mend="give one from 0 to 1")
    axes = tuple(range(chances.ndim - 1))
    own, other = np.log(chances + _FLOOR), np.log(like + _FLOOR)
    spread = np.maximum(own.std(axes), _FLOOR)
    standard = (own - own.mean(axes)) / spread * other.std(tuple(range(like.ndim - 1)))
    standard += other.mean(tuple(range(like.ndim - 1)))
    exponent = np.exp((1 - way) * own + way * standard)
    moved: NDArray[np.float64] = exponent / exponent.sum(-1, keepdims=True)
    return moved


def _forward_backward(emitted: NDArray[np.float32], grammar: _Grammar) -> NDArray[np.float32]:
    """(s, length, states) posterior probabilities; scaled at every base."""
    sequences, length, states = emitted.shape
    onward = grammar.transition.astype(np.float32)
    ahead = np.empty_like(emitted)
    belief: NDArray[np.floating] = np.broadcast_to(grammar.first.astype(np.float32), (sequences, states))
    for place in range(length):
        belief = (belief if place == 0 else belief @ onward) * emitted[:, place]
        belief = belief / belief.sum(-1, keepdims=True)
        ahead[:, place] = belief
    back = onward.T.copy()
    after: NDArray[np.floating] = np.ones((sequences, states), dtype=np.float32)
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
