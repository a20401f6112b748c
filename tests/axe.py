"""Accessibility of a page in the browser, by axe-core where it is on this machine.

axe-core is not part of the repository. To run these tests: ``npm install axe-core`` in any folder, and
``BUDWOOD_AXE=FOLDER/node_modules/axe-core/axe.min.js``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


def serious_findings(browser: Any) -> list[str]:
    """What axe-core finds serious or critical on the page that is open; skips where it is not installed."""
    named = os.environ.get("BUDWOOD_AXE")
    if not named or not Path(named).is_file():
        pytest.skip("BUDWOOD_AXE does not name axe.min.js of axe-core")
    browser.set_script_timeout(300)
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    browser.execute_script(Path(named).read_text(encoding="utf-8"))
    script = "const done = arguments[arguments.length - 1]; axe.run(document).then((r) => done(r.violations))"
    found = browser.execute_async_script(script)
    return [
        f"{each['id']}: {each['help']} ({each['nodes'][0]['target']}, {len(each['nodes'])} places)"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
