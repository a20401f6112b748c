"""What a choice of training lines must respect: lines per group, and a budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.relationship.relationship import Rows

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class TrainingLimits:
    """Quotas per group and a budget over n lines.

    Attributes
    ----------
    group
        (n,) number of each line's group, 0 to G - 1.
    names
        G names of the groups, for messages.
    minimum, maximum
        (G,) fewest and most lines to choose from each group.
    cost
        (n,) positive cost of phenotyping each line.
    budget
        Most that the chosen lines may cost together, infinite for none.

    Examples
    --------
    >>> limits = TrainingLimits.none(3)
    >>> limits.additions(np.array([True, False, False]), 2)
    array([False,  True,  True])
    """

    group: Rows
    names: tuple[str, ...]
    minimum: Rows
    maximum: Rows
    cost: NDArray[np.float64]
    budget: float = np.inf

    @classmethod
    def none(cls, n: int) -> TrainingLimits:
        """No quota and no budget; every line costs 1.

        Parameters
        ----------
        n
            Number of lines.

        Returns
        -------
        TrainingLimits
            Limits that exclude nothing.
        """
        zero = np.zeros(n, dtype=np.intp)
        return cls(zero, ("",), np.zeros(1, dtype=np.intp), np.full(1, n, dtype=np.intp), np.ones(n))

    def take(self, rows: Rows) -> TrainingLimits:
        """Limits over some of the lines.

        Parameters
        ----------
        rows
            The lines.

        Returns
        -------
        TrainingLimits
            The same quotas and budget.
        """
        return TrainingLimits(
            self.group[rows], self.names, self.minimum, self.maximum, self.cost[rows], self.budget
        )

    def check(self, count: int) -> None:
        """Refuse limits under which ``count`` of the lines, or the quotas, cannot be had.

        A budget that pays for fewer than ``count`` lines is no error.

        Parameters
        ----------
        count
            Lines to choose.

        Raises
        ------
        BudwoodError
            If a group is too small for its minimum, minima exceed the count, maxima or the number of lines
            stay under it, or the budget does not pay for the minima or for a single line.
        """
        available = np.bincount(self.group, minlength=len(self.names))
        for name, fewest, most, there in zip(self.names, self.minimum, self.maximum, available, strict=True):
            if fewest > min(most, there):
                reason = f"its maximum is {most}" if most < there else f"it has {there} candidates"
                raise BudwoodError(
                    f"group {name!r} must give at least {fewest} lines, but {reason}", mend="change its quota"
                )
        if self.minimum.sum() > count:
            raise BudwoodError(
                f"the minima of the groups add up to {self.minimum.sum()}, more than the {count} lines "
                "to choose",
                mend="lower a minimum or choose more lines",
            )
        room = int(np.minimum(self.maximum, available).sum())
        if room < count:
            raise BudwoodError(
                f"{count} lines are to be chosen, but only {room} can be",
                mend="choose fewer lines, give more candidates or raise a group's maximum",
            )
        if not self.additions(np.zeros(len(self.group), dtype=np.bool_), count).any():
            raise BudwoodError(
                f"a budget of {self.budget:g} does not pay for the lines that must be chosen",
                mend="raise the budget or lower the quotas",
            )

    def additions(self, chosen: Mask, count: int) -> Mask:
        """Which line may come next, so that every minimum can still be met within count and budget.

        Parameters
        ----------
        chosen
            (n,) whether a line is chosen already.
        count
            Lines to choose in all.

        Returns
        -------
        ndarray
            (n,) of bool.
        """
        counts = self._counts(chosen)
        need = np.maximum(self.minimum - counts, 0)
        slots = count - int(chosen.sum())
        allowed: Mask = ~chosen & (counts < self.maximum)[self.group] & (slots > 0)
        if slots <= need.sum():
            allowed &= (need > 0)[self.group]
        if np.isfinite(self.budget):
            allowed &= self.cost[chosen].sum() + self._committed(chosen, need) <= self._ceiling
        return allowed

    def replacements(self, chosen: Mask, leaving: int) -> Mask:
        """Which line may take the place of a chosen one.

        Parameters
        ----------
        chosen
            (n,) whether a line is chosen.
        leaving
            Row of the chosen line.

        Returns
        -------
        ndarray
            (n,) of bool.
        """
        counts = self._counts(chosen)
        own = self.group[leaving]
        allowed: Mask = ~chosen & ((counts < self.maximum)[self.group] | (self.group == own))
        if counts[own] <= self.minimum[own]:
            allowed &= self.group == own
        if np.isfinite(self.budget):
            allowed &= self.cost[chosen].sum() - self.cost[leaving] + self.cost <= self._ceiling
        return allowed

    @property
    def _ceiling(self) -> float:
        # Sums of decimal prices must not fail by a rounding error.
        return self.budget * (1.0 + 1e-12)

    def _counts(self, chosen: Mask) -> Rows:
        return np.bincount(self.group[chosen], minlength=len(self.names)).astype(np.intp)

    def _committed(self, chosen: Mask, need: Rows) -> NDArray[np.float64]:
        """(n,) cost of a line together with the cheapest lines that then complete the minima."""
        total = self.cost.copy()
        reserve = 0.0
        for group in np.flatnonzero(need):
            members = np.flatnonzero((self.group == group) & ~chosen)
            cheapest = members[np.argsort(self.cost[members], kind="stable")][: need[group]]
            reserve += float(self.cost[cheapest].sum())
            # A member takes the place of the dearest in reserve; one of the reserve costs nothing more.
            total[members] -= self.cost[cheapest[-1]]
            total[cheapest] = 0.0
        return total + reserve
