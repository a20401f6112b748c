"""Examples of a probe: windows, what is to be predicted of them, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

#: Bases of a block: the bootstrap draws the examples of one together, and no fold parts them.
BLOCK: Final = 100_000


class ReadPart(StrEnum):
    """Which bases of a window the question is about.

    ``MIDDLE``: the middle of the window; ``WHOLE``: the whole window.
    """

    MIDDLE = "middle"
    WHOLE = "whole"


@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleSet:
    """k windows with labels or values.

    Attributes
    ----------
    task
        Name of the task.
    windows
        (k, width) base codes, padded on the right where sequences differ in length.
    labels
        (k,) labels as text; empty for values.
    values
        (k,) measured values; empty for labels.
    contig, position
        (k,) contig (or group) and position of the window's middle; -1 without a position.
    reading
        Which bases the question is about.
    stranded
        Whether windows are read along a known strand, so that both strands' readings are used apart.
    notes
        Sentences about what was left out.
    """

    task: str
    windows: NDArray[np.uint8]
    labels: NDArray[np.str_]
    values: NDArray[np.float64]
    contig: NDArray[np.str_]
    position: NDArray[np.int64]
    reading: ReadPart
    stranded: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def is_classification(self) -> bool:
        """Whether labels rather than values are predicted."""
        return len(self.labels) == len(self.windows) and len(self.values) == 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Distinct labels in alphabetical order."""
        return tuple(np.unique(self.labels).tolist())

    @property
    def blocks(self) -> NDArray[np.int64]:
        """(k,) number of each window's block of :data:`BLOCK` bases on its contig, or of its group.

        Windows without position and group are blocks of their own.
        """
        if not any(self.contig.tolist()):
            return np.arange(len(self))
        place = [
            f"{contig}\t{position // BLOCK}" if position >= 0 else contig or f"\t{row}"
            for row, (contig, position) in enumerate(
                zip(self.contig.tolist(), self.position.tolist(), strict=True)
            )
        ]
        return np.unique(place, return_inverse=True)[1].astype(np.int64)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> ExampleSet:
        """Select examples.

        Parameters
        ----------
        rows
            Indices or mask.

        Returns
        -------
        ExampleSet
            The selected ones.
        """
        return replace(
            self,
            windows=self.windows[rows],
            labels=self.labels[rows] if self.is_classification else self.labels,
            values=self.values if self.is_classification else self.values[rows],
            contig=self.contig[rows],
            position=self.position[rows],
        )


def labelled(
    task: str,
    windows: list[NDArray[np.uint8]],
    labels: list[str],
    places: list[tuple[str, int]],
    *,
    reading: ReadPart,
    stranded: bool = False,
    notes: tuple[str, ...] = (),
) -> ExampleSet:
    """Examples with labels.

    Parameters
    ----------
    task
        Name of the task.
    windows, labels, places
        Codes, label, and contig with position of each.
    reading, stranded, notes
        As in :class:`ExampleSet`.

    Returns
    -------
    ExampleSet
        The examples.

    Raises
    ------
    BudwoodError
        If there is none.
    """
    if not windows:
        raise BudwoodError(
            f"the genome and annotation hold no example for the task {task}",
            mend="check that both name the contigs alike, and that the annotation holds what the task needs",
        )
    return ExampleSet(
        task=task,
        windows=np.stack(windows),
        labels=np.array(labels, dtype=np.str_),
        values=np.empty(0),
        contig=np.array([contig for contig, _ in places], dtype=np.str_),
        position=np.array([position for _, position in places], dtype=np.int64),
        reading=reading,
        stranded=stranded,
        notes=notes,
    )
