"""One line on standard error that says how far a training is."""

from __future__ import annotations

import sys
from datetime import timedelta

_CLEAR = "\r\x1b[K"


class LiveLine:
    """Rewrites one line of a terminal; silent where there is no terminal.

    Parameters
    ----------
    total
        Steps in all.
    show
        Force it on or off; by default it shows when standard error is a terminal.
    """

    def __init__(self, total: int, *, show: bool | None = None) -> None:
        self.total = total
        self.visible = sys.stderr.isatty() if show is None else show

    def tell(self, step: int, losses: dict[str, float], speed: float, share: float, left: float) -> None:
        """Rewrite the line.

        Parameters
        ----------
        step
            Steps done.
        losses
            Mean losses by name.
        speed
            Bases per second.
        share
            Share of the peak speed of the devices, 0 to 1.
        left
            Seconds left.
        """
        if not self.visible:
            return
        parts = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        time = timedelta(seconds=round(left))
        pace = f"{speed:,.0f} bases/s, {share:.0%} of peak"
        line = f"training {step:,}/{self.total:,} | {parts} | {pace} | {time} left"
        print(_CLEAR + line, end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self.visible:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
