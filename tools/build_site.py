"""Build the documentation site into site/: the pages of docs/, and references made from the code.

    pip install 'budwood[site]'
    python tools/build_site.py            # fails on a link that leads nowhere

Pages outside docs/ that others link to (README, CONTRIBUTING, CHANGELOG, the index of benchmarks, the model
card) are copied into the site and links follow them; a link to a file of the code becomes its name. The
references of the command line and of the Python names are made from help texts and docstrings, so they are
never out of date. The site works offline, its search too, opened from the disk.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Pages from outside docs/, by their place in the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmark-scripts.md",
    "src/budwood/checkpoints/tracks/README.md": "model-card.md",
    "src/budwood/checkpoints/grasses/README.md": "model-card-grasses.md",
    "src/budwood/checkpoints/small/README.md": "model-card-small.md",
    "docs/README.md": "pages.md",
}
LINK = re.compile(r"(!?)\[([^\]\n]+)\]\(([^)\s]+)\)")
SETTINGS = """[project]
site_name = "Budwood"
site_description = "One DNA foundation model for plant breeding and plant genomics"
docs_dir = "pages"
site_dir = "built"
use_directory_urls = false
extra_css = ["style.css"]
extra_javascript = ["reach.js"]
nav = [
{nav}]

[project.theme]
language = "en"
font = false
features = ["content.code.copy", "navigation.sections", "navigation.top", "search.highlight"]

# Search works on files opened without a server.
[project.plugins.offline]
"""


#: The usual colour of the present page's link is too pale to read.
STYLE = """.md-nav__link--active, .md-nav__link--active .md-ellipsis { color: #2f3fae; }
/* Lines of 80 characters fit beside both lists. */
.md-grid { max-width: 76rem; }
@media screen and (min-width: 76.25em) { .md-sidebar { width: 10.6rem; } }
/* Words in cells wrap on phones. */
@media screen and (max-width: 44.9em) {
  .md-typeset table:not([class]) :is(th, td) { min-width: 0; padding: 0.5em; }
  .md-typeset table:not([class]) code { overflow-wrap: anywhere; }
}
"""
#: Pages that are made from the code, for the list of all pages.
MADE = """| [Command line](reference/command-line.md) | every verb with its help and options |
| [Python names](reference/python.md) | every public name with its docstring |
"""
#: Loaded by the search of a page that is opened from the disk; it would come from another site.
ELSEWHERE = re.compile(r"https://unpkg\.com/iframe-worker/shim")
#: Browsers start no worker for such a page, so the search runs in a hidden frame.
FRAME = """window.Worker = class {
  constructor(url) {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.title = "search";
    document.body.append(frame);
    const inside = frame.contentWindow, script = inside.document.createElement("script");
    // As between a page and a worker: messages are copies and arrive later.
    const later = (realm, deliver, data) => {
      const copy = structuredClone(data);
      setTimeout(() => deliver(new realm.MessageEvent("message", { data: copy })));
    };
    inside.postMessage = (data) => later(window, (event) => this.onmessage && this.onmessage(event), data);
    this.frame = frame;
    this.waiting = [];
    script.onload = () => {
      this.deliver = (data) => later(inside, (event) => inside.dispatchEvent(event), data);
      this.waiting.forEach((data) => this.deliver(data));
    };
    script.src = url;
    inside.document.body.append(script);
  }
  postMessage(data) {
    if (this.deliver) this.deliver(data);
    else this.waiting.push(data);
  }
  terminate() {
    this.frame.remove();
  }
};
"""
#: Numbers of the lines of code as links without words, which a screen reader would read one by one.
LINE_LINK = re.compile(r'<a id="__codelineno-[^"]*"[^>]*></a>')
#: Code and tables that are too wide for the page scroll in boxes, which the keyboard has to reach.
REACH = """const reach = () => {
  for (const box of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", reach);
addEventListener("resize", reach);
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder of the finished site")
    out = parser.parse_args().out.resolve()
    work = ROOT / "build" / "site"
    shutil.rmtree(work, ignore_errors=True)
    collect(work / "pages")
    (work / "zensical.toml").write_text(SETTINGS.format(nav=navigation(work / "pages")), encoding="utf-8")
    zensical = Path(sys.executable).with_name("zensical")
    if not zensical.exists():
        raise SystemExit("zensical is not installed: pip install 'budwood[site]'")
    # Colours are for terminals; the reader of a log wants the words.
    subprocess.run(
        [str(zensical), "build", "--strict"], cwd=work, check=True, env={**os.environ, "NO_COLOR": "1"}
    )
    finish(work / "built")
    if out.exists() and not (out / "sitemap.xml").exists():
        raise SystemExit(f"{out} is not an earlier site: choose another folder")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(work / "built", out)
    print(f"site: {out / 'index.html'}")


def collect(pages: Path) -> None:
    """Copy every page with its links rewritten, and write the references."""
    places = {path: Path(name) for path, name in OUTSIDE.items()}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = path.relative_to(ROOT).as_posix()
        places.setdefault(name, path.relative_to(ROOT / "docs"))
    for path in sorted((ROOT / "docs" / "pictures").iterdir()):
        name, place = path.relative_to(ROOT).as_posix(), path.relative_to(ROOT / "docs")
        places[name] = place
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, pages / place)
    for name, place in places.items():
        if place.suffix != ".md":
            continue
        target = pages / place
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text(encoding="utf-8")
        text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)  # the head of a model card
        made = MADE if name == "docs/README.md" else ""
        target.write_text(rewritten(text, Path(name), place, places) + made, encoding="utf-8")
    (pages / "style.css").write_text(STYLE, encoding="utf-8")
    (pages / "reach.js").write_text(REACH, encoding="utf-8")
    (pages / "reference").mkdir(exist_ok=True)
    (pages / "reference" / "command-line.md").write_text(command_reference(), encoding="utf-8")
    (pages / "reference" / "python.md").write_text(python_reference(), encoding="utf-8")


def finish(built: Path) -> None:
    """Mend finished pages: nothing from another site, no links without words."""
    (built / "assets" / "javascripts" / "search-in-a-frame.js").write_text(FRAME, encoding="utf-8")
    for page in built.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        own = os.path.relpath(built / "assets" / "javascripts" / "search-in-a-frame.js", page.parent)
        text = LINE_LINK.sub("", ELSEWHERE.sub(own, text))
        page.write_text(text, encoding="utf-8")
    for script in built.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        if ELSEWHERE.search(text):
            raise SystemExit(f"{script.name} loads a script of another site: see finish() of this file")


def rewritten(text: str, name: Path, place: Path, places: dict[str, Path]) -> str:
    """Links of a page by their places in the site; links to code become names."""

    def follow(found: re.Match[str]) -> str:
        image, words, target = found.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith(("#", "mailto:")):
            return found.group(0)
        full = os.path.normpath(name.parent / path)
        known = places.get(Path(full).as_posix())
        if known is not None:
            way = os.path.relpath(known, place.parent)
            return f"{image}[{words}]({way}{'#' + anchor if anchor else ''})"
        shown = words if words.startswith("`") or words == full else f"{words} (`{full}`)"
        return shown if (ROOT / full).exists() else found.group(0)

    return LINK.sub(follow, text)


def navigation(pages: Path) -> str:
    """Entries of the list of pages: by reader, as docs/README.md has them."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    lines = ['  {"Start" = "index.md"},\n']
    rest = ("contributing.md", "benchmark-scripts.md", "log.md", "changelog.md", "pages.md")
    seen = {"index.md", *rest}
    for title, body in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", index, flags=re.MULTILINE | re.DOTALL):
        names = dict.fromkeys(re.findall(r"^\| \[[^\]]+\]\(([\w/-]+\.md)\)", body, flags=re.MULTILINE))
        entries = [f'"{name}"' for name in names if name not in seen and (pages / name).exists()]
        seen |= set(names)
        if entries:
            lines.append(f'  {{"{title}" = [{", ".join(entries)}]}},\n')
    decisions = [f'"decisions/{path.name}"' for path in sorted((pages / "decisions").glob("*.md"))]
    reference = '"reference/command-line.md", "reference/python.md", {"Model card" = "model-card.md"}'
    lines.append(f'  {{"Reference" = [{reference}]}},\n')
    lines.append(f'  {{"Decisions" = [{", ".join(decisions)}]}},\n')
    lines.append(f'  {{"Project" = [{", ".join(repr(n).replace(chr(39), chr(34)) for n in rest)}]}},\n')
    return "".join(lines)


def command_reference() -> str:
    """Every verb with its help and options."""
    import typer

    from budwood.cli.app import app

    parts = ["# Command line\n", "Made from the help texts: `budwood VERB --help` says the same.\n"]
    for name, command in _verbs(typer.main.get_command(app)):
        context = typer.Context(command, info_name=f"budwood {name}")
        usage = re.sub(r"\s+", " ", command.get_usage(context)).removeprefix("Usage: ")
        parts += [f"## budwood {name}\n", f"```\n{usage}\n```\n", inspect.cleandoc(command.help or "") + "\n"]
        rows = [_option(parameter, context) for parameter in command.get_params(context)]
        parts += ["| option | meaning |\n|---|---|\n" + "\n".join(row for row in rows if row) + "\n"]
        if command.epilog:
            parts.append(f"{command.epilog}\n")
    return "\n".join(parts)


def _verbs(command: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in sorted(command.commands.items()):
        if hasattr(each, "commands"):
            yield from _verbs(each, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", each


def _option(parameter: Any, context: Any) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        name = parameter.human_readable_name
        return f"| <code>{_cell(name)}</code> | {_cell(getattr(parameter, 'help', '') or '')} |"
    return f"| <code>{_cell(record[0])}</code> | {_cell(record[1])} |"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "&#124;").replace("<", "&lt;").strip()


def python_reference() -> str:
    """Every public name with its docstring."""
    import budwood

    parts = ["# Python names\n", "Made from the docstrings; [eleven tasks](../api.md) shows them at work.\n"]
    for name in budwood.__all__:
        thing = getattr(budwood, name)
        parts += [f"## {name}\n", f"```python\nbudwood.{name}{_signature(thing)}\n```\n", _prose(thing)]
        for method, each in inspect.getmembers(thing, inspect.isroutine) if inspect.isclass(thing) else ():
            if not method.startswith("_") and method in vars(thing) and each.__doc__:
                parts += [
                    f"### {name}.{method}\n",
                    f"```python\n{method}{_signature(each)}\n```\n",
                    _prose(each),
                ]
    return "\n".join(parts)


def _signature(thing: Any) -> str:
    try:
        # Annotations are text, which is shown without its quotes.
        return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(thing)))
    except (TypeError, ValueError):
        return ""


def _prose(thing: Any) -> str:
    """A numpydoc docstring as Markdown: sections as bold words, entries as a list, examples as code."""
    lines, found, at = inspect.cleandoc(thing.__doc__ or "").split("\n"), [], 0
    examples = ""
    section = ""
    while at < len(lines):
        line = lines[at]
        if at + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[at + 1]) and line.strip():
            section, at = line.strip(), at + 2
            found.append(f"\n**{section}**\n")
            if section == "Examples":
                examples = "```python\n" + "\n".join(lines[at:]) + "\n```\n"
                break
            continue
        if section and line and not line.startswith(" "):
            found.append(f"- `{line.strip()}`: ")
        elif section and line:
            found[-1] += line.strip() + " "
        else:
            found.append(re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line))
        at += 1
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", "\n".join(found)).replace("``", "`") + "\n" + examples


if __name__ == "__main__":
    main()
