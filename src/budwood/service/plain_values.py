"""Values as JSON has them."""

from __future__ import annotations

import math
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON has it: NumPy's own as Python's, None for what is not finite.

    Parameters
    ----------
    value
        Number, text, or lists and mappings of them.

    Returns
    -------
    Any
        The same in types that JSON knows.

    Examples
    --------
    >>> plain({"r": float("nan"), "values": (1.5, "a")})
    {'r': None, 'values': [1.5, 'a']}
    """
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
