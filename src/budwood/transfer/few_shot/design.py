"""Which target lines train and which are predicted: nested draws with the same test lines in every arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted

Rows = NDArray[np.intp]

#: Numbers of phenotyped target lines at which transfer is measured; 0 is the source alone.
SIZES: Final = (0, 25, 50, 100, 150, 200, 400)
#: Fewest test lines, and fewest phenotyped lines of the target.
FEWEST_TEST, FEWEST_LINES = 20, 30
#: Fewest phenotyped lines that a model of the target alone is fitted to.
SMALLEST_SIZE: Final = 10
#: Fewest draws that show a gain or a loss. The interval of Nadeau and Bengio covers the truth at any number,
#: but by three draws it is 2.7 times as wide as by a hundred, and its width differs by half from one seed to
#: the next, so that chance decides what is shown; by ten it is 1.25 times as wide and differs by a quarter.
FEWEST_DRAWS: Final = 10


@dataclass(frozen=True, kw_only=True)
class FewShotDesign:
    """Sizes and draws.

    Attributes
    ----------
    sizes
        Numbers of phenotyped target lines, ascending.
    draws
        Random draws of test lines and training order.
    test_share
        Share of the phenotyped target lines that are predicted in a draw.
    seed
        Of the draws and the controls.
    """

    sizes: tuple[int, ...] = SIZES
    draws: int = 30
    test_share: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 2 or not self.sizes or min(self.sizes) < 0 or not 0.0 < self.test_share < 1.0:
            raise BudwoodError(
                "few-shot sizes, draws or test share are out of range",
                mend="give sizes of 0 or more, two draws or more, and a share between 0 and 1",
            )
        few = [size for size in self.sizes if 0 < size < SMALLEST_SIZE]
        if few:
            raise BudwoodError(
                f"no model can be fitted to {counted(few[0], 'phenotyped line')}",
                where="--sizes",
                mend=f"give 0, and sizes of {SMALLEST_SIZE} or more",
            )
        object.__setattr__(self, "sizes", tuple(sorted(set(self.sizes) | {0})))

    def test_lines(self, lines: int) -> int:
        """Number of test lines among the phenotyped ones.

        Raises
        ------
        BudwoodError
            If there are too few lines to judge anything.
        """
        if lines < FEWEST_LINES:
            raise BudwoodError(
                f"{lines} phenotyped target lines are too few to measure transfer",
                mend=f"give at least {FEWEST_LINES}",
            )
        return min(max(FEWEST_TEST, round(self.test_share * lines)), lines - 10)

    def sizes_for(self, lines: int) -> tuple[int, ...]:
        """The sizes for which enough lines are left beside the test lines.

        Where none above 0 is, all lines that are left make one: without any, nothing compares the source with
        the target alone.
        """
        left = lines - self.test_lines(lines)
        found = tuple(size for size in self.sizes if size <= left)
        return found if max(found) > 0 else (*found, left)

    def overlap(self, lines: int) -> float:
        """Test lines per other line: how much draws share, for the interval of Nadeau and Bengio."""
        test = self.test_lines(lines)
        return test / (lines - test)

    def draw(self, lines: int) -> Iterator[tuple[Rows, Rows]]:
        """Test lines of each draw, and the others in the order in which they are phenotyped.

        Yields
        ------
        tuple of ndarray
            Rows of the test lines; rows of the rest, of which the first n train.

        Examples
        --------
        >>> test, order = next(FewShotDesign(draws=2).draw(60))
        >>> len(test), len(order), len(set(test) & set(order))
        (20, 40, 0)
        """
        test = self.test_lines(lines)
        for number in range(self.draws):
            order = np.random.default_rng([self.seed, number]).permutation(lines)
            yield np.sort(order[:test]), order[test:]
