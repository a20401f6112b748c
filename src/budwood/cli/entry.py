"""Where the installed command begins: light, so that Ctrl-C is answered during the imports as well."""

from __future__ import annotations

import sys

from budwood.cli.exit_code import INTERRUPTED


def main() -> int:
    """Import the command line and run it; returns the exit code."""
    try:
        from budwood.cli.app import main as run
    except KeyboardInterrupt:
        print("interrupted: no result was written", file=sys.stderr)
        return INTERRUPTED
    return run()
