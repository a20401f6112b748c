"""Exit codes of the command beside those of errors."""

from __future__ import annotations

from typing import Final

#: After Ctrl-C or a signal to end.
INTERRUPTED: Final = 130
