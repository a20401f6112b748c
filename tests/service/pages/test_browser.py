"""The page in a real browser: from files to a shortlist, a saved model applied, a key revoked."""

from __future__ import annotations

import csv
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from budwood.service.app import create_app
from budwood.service.settings import ServiceSettings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Script that returns what is wrong with a page.
FAULTS = Path(__file__).with_name("faults.js").read_text()
#: axe.min.js of the npm package axe-core, which the environment names; it is not kept in the repository.
AXE = Path(os.environ["BUDWOOD_AXE"]) if os.environ.get("BUDWOOD_AXE") else None


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless chromium that saves downloads in a folder of the test."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver_path:
        pytest.skip("chromium and chromedriver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    downloads = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    driver.downloads = downloads
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


@contextmanager
def served(settings: ServiceSettings) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), port=0, log_level="error", access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def wait(browser: Any, found: Callable[[], Any], seconds: float = 300) -> Any:
    until = time.monotonic() + seconds
    while True:
        try:
            if value := found():
                return value
        except Exception:
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, browser.page_source[-3000:]
        time.sleep(0.2)


def size(browser: Any, width: int, height: int = 900) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def look(browser: Any, name: str) -> None:
    """Check what is shown on a desktop and a phone; keep pictures where the environment names a folder."""
    for width in (1300, 400):
        size(browser, width)
        assert browser.execute_script(FAULTS) == [], (name, width)
        assert serious_violations(browser) == [], (name, width)
        folder = os.environ.get("BUDWOOD_SCREENSHOTS")
        if folder:
            size(browser, width, browser.execute_script("return document.documentElement.scrollHeight"))
            browser.save_screenshot(str(Path(folder) / f"{name}-{width}.png"))
    size(browser, 1300)
    assert [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []


def serious_violations(browser: Any) -> list[str]:
    """What axe-core finds serious or critical; nothing where its file is not there."""
    if AXE is None:
        return []
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document).then((r) => done(r.violations), (e) => done([{id: String(e), nodes: []}]));"
    )
    return [
        f"{each['id']}: {[node['html'][:100] for node in each['nodes']]}"
        for each in found
        if each.get("impact", "critical") in ("serious", "critical")
    ]


def press(browser: Any, text: str) -> None:
    xpath = f"//button[contains(., '{text}')] | //a[contains(., '{text}')]"
    # A page that was just pictured whole is taller than the window: a click by place can miss.
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", xpath))


def test_from_files_to_a_shortlist_and_a_saved_model(
    browser: Any, settings: ServiceSettings, panel: Any
) -> None:
    with served(replace(settings, parallel_jobs=1)) as url:
        browser.get(url)
        look(browser, "new-job")
        browser.find_element("id", "genotypes").send_keys(str(panel.genotypes))
        browser.find_element("id", "phenotypes").send_keys(str(panel.phenotypes))
        press(browser, "Look at the files")
        wait(browser, lambda: "Identity report" in browser.page_source)
        look(browser, "identity-report")
        browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        browser.find_element("id", "save_as").send_keys("height-2026")
        browser.find_element("xpath", "//select[@id='model']/option[text()='gblup']").click()
        press(browser, "Start")
        wait(browser, lambda: "State:" in browser.page_source)
        look(browser, "job-running")
        wait(browser, lambda: browser.find_element("xpath", "//a[text()='Open the report']"))
        look(browser, "job-done")
        job = browser.current_url
        press(browser, "Open the report")
        wait(browser, lambda: browser.find_elements("css selector", "#lines button.name"))
        browser.get(job)
        press(browser, "Ranking and shortlist")
        wait(browser, lambda: len(browser.find_elements("name", "accession")) == 10)
        look(browser, "ranking")
        ticked = browser.find_elements("name", "accession")[:2]
        names = [each.get_attribute("value") for each in ticked]
        for each in ticked:
            each.click()
        press(browser, "Download the shortlist")
        saved = browser.downloads / "shortlist.csv"
        wait(browser, saved.is_file)
        with saved.open() as handle:
            assert [row["accession"] for row in csv.DictReader(handle)] == names
        press(browser, "Saved models")
        wait(browser, lambda: "height-2026" in browser.page_source)
        look(browser, "models")
        browser.find_element("name", "genotypes").send_keys(str(panel.new_lines))
        press(browser, "Predict these lines")
        wait(browser, lambda: browser.find_element("xpath", "//a[text()='Ranking and shortlist']")).click()
        wait(browser, lambda: len(browser.find_elements("name", "accession")) == 6)
        press(browser, "Jobs")
        wait(browser, lambda: browser.find_elements("id", "jobs"))
        look(browser, "jobs")


def test_a_key_is_made_and_revoked(browser: Any, settings: ServiceSettings) -> None:
    with served(settings) as url:
        browser.get(f"{url}/keys")
        look(browser, "keys-none")
        browser.find_element("id", "name").send_keys("Potato programme")
        press(browser, "Make the key")
        wait(browser, lambda: browser.find_elements("css selector", "code.secret"))
        look(browser, "key-made")
        press(browser, "Revoke")
        wait(browser, lambda: "revoked 2" in browser.page_source)
        for path in ("login", "request-access", "nothing"):
            browser.get(f"{url}/{path}")
            browser.get_log("browser")  # the browser itself notes the 404
            look(browser, path)


def test_every_other_page(
    browser: Any,
    client: TestClient,
    settings: ServiceSettings,
    panel: Any,
    submit: Callable[..., str],
    finish: Callable[[str], Any],
) -> None:
    predicting = {"verb": "predict", "trait": "height", "model": "gblup", "save_as": "height"}
    files = {"genotypes": panel.genotypes, "phenotypes": panel.phenotypes}
    predicted = submit(predicting, **files)
    finish(predicted)
    attributed = str(client.post(f"/jobs/{predicted}/attribute").url).rsplit("/", 1)[-1]
    finish(attributed)
    transfer = {"verb": "transfer-evaluate", "trait": "height", "sizes": [0, 10], "draws": 2}
    sides = {f"{side}_{role}": path for side in ("source", "target") for role, path in files.items()}
    moved = submit(transfer | {"source_name": "North", "target_name": "South"}, **sides)
    finish(moved)
    waiting = submit({"verb": "select", "count": 3}, genotypes=panel.genotypes)
    card = {"name": "rice-height", "saved_model": "height", "species": "Oryza sativa"}
    assert client.post("/v1/library", json=card).status_code == 201
    pages = {
        "job-with-model": f"/jobs/{predicted}",
        "job-attributed": f"/jobs/{attributed}",
        "genome": f"/jobs/{attributed}/genome",
        "genome-of-a-line": f"/jobs/{attributed}/genome?line=line35",
        "job-transfer": f"/jobs/{moved}",
        "job-waiting": f"/jobs/{waiting}",
        "variants": "/variants",
        "transfers": "/transfers",
        "library": "/library",
        "card": "/library/rice-height",
    }
    with served(settings) as url:
        for name, path in pages.items():
            browser.get(url + path)
            browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            look(browser, name)


def test_axe_core_has_checked_the_pages() -> None:
    if AXE is None:
        pytest.skip("BUDWOOD_AXE names no axe.min.js: npm install axe-core, then name its file")
    assert AXE.is_file()
