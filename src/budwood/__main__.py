"""``python -m budwood`` is the command ``budwood``."""

from __future__ import annotations

import signal
import sys

from budwood.cli.entry import main
from budwood.cli.exit_code import INTERRUPTED

if __name__ == "__main__":
    code = main()
    if code == INTERRUPTED and hasattr(signal, "pthread_sigmask"):
        # Python notes an interrupt that passed through the exec of a string, as in the imports of
        # dataclasses, and ends a module run by -m by that signal instead of its exit code. A
        # blocked signal keeps the code.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.exit(code)
