"""What the pages for people name is there: files, symbols, links, commands, settings, metrics.

Code is what stands between backticks, or in a fence. A page that promises more than there is says
"planned", in words and not in code.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel

from dubcast.cli.main import application
from dubcast.config import ENV_PREFIX, Settings, tree
from dubcast.egress.forwarder import EgressMetrics
from dubcast.metrics import OrchestratorMetrics, StsMetrics, WorkerMetrics

ROOT = Path(__file__).parents[2]
DUBCAST = ROOT / "src/dubcast"
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
CODE_ROOTS = (ROOT, ROOT / "src", DUBCAST, ROOT / "tests", ROOT / "bench", ROOT / "scripts")
# What a reader is to make, on the pages that say how.
EXAMPLES = {"src/dubcast/mediaserver/NAME.py", "ca.py", "beep_voice.py"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_FILE = re.compile(r"(?<![\w/.-])(?:[\w.-]+/)*[\w-]+\.(?:py|cjs|sh)\b")
_FOLDER = re.compile(r"(?:[\w.-]+/)+")
_MODULE = re.compile(r"(?<![\w.])dubcast(?:\.\w+)+")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SYMBOL = re.compile(r"[A-Z]\w*(?:\.\w+)*|\w+\(\)")
_WAY = re.compile(r"^## The way of .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\d+\. \*\*", re.MULTILINE)
_KEY = re.compile(rf"(?:{'|'.join(Settings.model_fields)})(?:\.[a-z0-9_]+)+")
_VARIABLE = re.compile(rf"{ENV_PREFIX}[A-Z0-9_]+")
# One underscore behind the prefix: what nothing reads, but for these.
_SLIP = re.compile(r"DUBCAST_(?!_|HOOK_|CONFIG\b)\w+")
_METRIC = re.compile(r"\bdubcast_[a-z_]+")


def _prose(page: str) -> str:
    """A page without its fences."""
    return _FENCE.sub("", page)


def _inline(page: str) -> list[str]:
    """What stands between backticks, each on one line."""
    return [" ".join(code.split()) for code in _INLINE.findall(_prose(page))]


def _lines(page: str) -> list[str]:
    """Inline code, and the lines of the fences, without their comments."""
    fenced = [line for _, text in _FENCE.findall(page) for line in text.splitlines()]
    return [*_inline(page), *(line.partition("#")[0].strip() for line in fenced)]


# ---- files and symbols --------------------------------------------------------------------


def wrong_files(page: str) -> list[str]:
    """Files, folders and modules that are named and are not there."""
    files = {name for name in _FILE.findall(_prose(page)) if name not in EXAMPLES}
    folders = {code for code in _inline(page) if _FOLDER.fullmatch(code)}
    modules = {name for code in _inline(page) for name in _MODULE.findall(code)}
    wrong = [name for name in files if not _is_file(name)]
    wrong += [name for name in folders if not _is_made(name) and not _is_folder(name)]
    return sorted(wrong + [name for name in modules if not _is_module(name)])


def _is_file(name: str) -> bool:
    """With its folder at one of the roots; without, anywhere below them."""
    if "/" in name:
        return any((root / name).is_file() for root in CODE_ROOTS)
    return name in _base_names()


@functools.cache
def _base_names() -> set[str]:
    below = ("src", "tests", "bench", "scripts")
    return {path.name for root in below for path in (ROOT / root).rglob("*.*")}


def _is_folder(name: str) -> bool:
    return any((root / name).is_dir() for root in CODE_ROOTS)


def _is_made(name: str) -> bool:
    return name.startswith("build/")


def _is_module(name: str) -> bool:
    """A module or a package, or a name in one. `dubcast.yaml` is the settings file."""
    parts = name.split(".")[1:]
    if parts == ["yaml"]:
        return True
    path = DUBCAST
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    if parts and (path / f"{parts[0]}.py").is_file():
        path /= f"{parts.pop(0)}.py"
    if not parts:
        return True
    file = path if path.is_file() else path / "__init__.py"
    return len(parts) == 1 and parts[0] in _defined(file)


def wrong_symbols(page: str) -> list[str]:
    """In the steps of each way: symbols that the file named before them does not define."""
    wrong = []
    for step in _steps(page):
        file = None
        for code in _inline(step):
            if _FILE.fullmatch(code):
                file = DUBCAST / code
            elif _SYMBOL.fullmatch(code) and not (file and _defines(file, code)):
                wrong.append(f"{file and file.relative_to(DUBCAST)}: {code}")
    return wrong


def _steps(page: str) -> list[str]:
    return [step for way in _WAY.findall(page) for step in _STEP.split(way)]


def _defines(file: Path, symbol: str) -> bool:
    return symbol.removesuffix("()") in _defined(file)


@functools.cache
def _defined(file: Path) -> set[str]:
    """Classes, functions and names of a file; what is in a class is `Class.name`."""
    if not file.is_file():
        return set()
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return set(re.findall(r"^(?:async )?function (\w+)\(", text, re.MULTILINE))
    module = ast.parse(text)
    handed_on = _imported(module) if file.name == "__init__.py" else set()
    return set(_names_in(module, "")) | handed_on


def _names_in(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name
            yield from _names_in(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name
            if not prefix:  # what a function defines is named by its own name
                yield from _names_in(child, "")
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield prefix + child.id
        else:
            yield from _names_in(child, prefix)


def _imported(module: ast.Module) -> set[str]:
    return {
        alias.name
        for node in module.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


# ---- links --------------------------------------------------------------------------------


def wrong_links(page: str, folder: Path) -> list[str]:
    """Relative links that lead nowhere; an anchor is that of a heading."""
    wrong = []
    for target in _LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = folder / path if path else None
        text = page if file is None else file.read_text("utf-8") if file.is_file() else ""
        is_there = file is None or file.exists()
        if not is_there or (anchor and anchor not in _anchors(text)):
            wrong.append(target)
    return wrong


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


# ---- commands -----------------------------------------------------------------------------


def wrong_commands(page: str) -> list[str]:
    """Commands of dubcast with their options, and targets of make, that do not exist."""
    wrong = []
    for line in _lines(page):
        if line.startswith("dubcast "):
            wrong += _wrong_command(line.split()[1:])
        wrong += [f"make {one}" for one in re.findall(r"\bmake ([a-z][a-z-]*)", line)
                  if one not in _targets()]  # fmt: skip
    return wrong


def _wrong_command(words: list[str]) -> list[str]:
    """Of `models pull|list NAME --from en`, and of `media-server | worker`: what is not there."""
    group = _program()
    first, *rest = words
    alternatives = [first, *(word for bar, word in itertools.pairwise(rest) if bar == "|")]
    wrong = [one for one in alternatives if one not in _commands(group)]
    if wrong:
        return [f"dubcast {one}" for one in wrong]
    command = _commands(group)[first]
    if _commands(command) and rest:
        chosen = rest[0].split("|")
        wrong = [one for one in chosen if one not in _commands(command)]
        command = command if wrong else _commands(command)[chosen[0]]
    given = [word.strip("[]") for word in rest if word.strip("[").startswith("--")]
    wrong += [one for one in given if one not in _options(command)]
    return [f"dubcast {first} {one}" for one in wrong]


@functools.cache
def _program() -> Any:
    return typer.main.get_command(application())


def _commands(command: Any) -> dict[str, Any]:
    return getattr(command, "commands", {})


def _options(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)}


@functools.cache
def _targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


# ---- settings and metrics -----------------------------------------------------------------


def wrong_settings(page: str) -> list[str]:
    """Dotted keys and variables that no setting has."""
    named = {code for code in _inline(page) if _KEY.fullmatch(code)}
    written = {name for code in _inline(page) for name in _VARIABLE.findall(code)}
    written.discard(f"{ENV_PREFIX}SECTION__KEY")
    keys = {name: name.removeprefix(ENV_PREFIX).lower().replace("__", ".") for name in written}
    keys |= {name: name for name in named}
    wrong = (name for name, key in keys.items() if not _is_setting(key.split(".")))
    return sorted([*wrong, *_SLIP.findall(page)])


def _is_setting(parts: list[str]) -> bool:
    return tree.type_at(Settings, parts) is not None


def secrets(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted key of each secret; the items of a list or a mapping have no name of their own."""
    for name, field in section.model_fields.items():
        kind = tree.bare(field.annotation)
        item = (
            tree.bare(get_args(kind)[-1 if get_origin(kind) is dict else 0])
            if _holds(kind)
            else kind
        )
        if tree.is_secret(item):
            yield prefix + name
        elif tree.is_section(item):
            yield from secrets(item, f"{prefix}{name}.")


def _holds(kind: Any) -> bool:
    return get_origin(kind) in (dict, tuple)


def wrong_metrics(page: str) -> list[str]:
    """Names that none of the roles' registries has."""
    named = {name for code in _inline(page) for name in _METRIC.findall(code)}
    return sorted(named - _metrics())


@functools.cache
def _metrics() -> set[str]:
    roles = (WorkerMetrics("x"), StsMetrics(), OrchestratorMetrics(), EgressMetrics("x", "y"))
    ends = {"counter": "_total", "info": "_info"}
    families = (family for role in roles for family in role.registry.collect())
    return {family.name + ends.get(family.type, "") for family in families}


# ---- tests --------------------------------------------------------------------------------


@pytest.fixture(params=PAGES, ids=NAMES)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_files_are_there(page: str) -> None:
    assert wrong_files(page) == []


def test_links_lead_somewhere(path: Path, page: str) -> None:
    assert wrong_links(page, path.parent) == []


def test_commands_are_there(page: str) -> None:
    assert wrong_commands(page) == []


def test_settings_and_metrics_are_there(page: str) -> None:
    assert wrong_settings(page) == []
    assert wrong_metrics(page) == []


def test_each_step_of_each_way_names_what_acts() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert wrong_symbols(page) == []
    ways = _WAY.findall(page)
    assert [way.split("\n")[0] for way in ways] == [
        *("## The way of a fragment", "## The way of an access unit", "## The way of a hook"),
    ]
    for way in ways:
        _, *steps = _STEP.split(way)
        assert re.findall(r"^(\d+)\. ", way, re.MULTILINE) == [*map(str, range(1, len(steps) + 1))]
        for step in steps:
            codes = _inline(step)
            assert any(map(_FILE.fullmatch, codes)), step
            assert any(map(_SYMBOL.fullmatch, codes)), step


def test_the_examples_are_on_a_page() -> None:
    named = {name for page in PAGES for name in _FILE.findall(page.read_text(encoding="utf-8"))}
    assert named >= EXAMPLES


def test_the_glossary_is_in_order() -> None:
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = [word.lower() for word in re.findall(r"^- \*\*([^*]+)\*\*", page, re.MULTILINE)]
    assert len(words) > 60
    assert words == sorted(words)
    assert len(set(words)) == len(words)


def test_every_secret_has_its_place() -> None:
    """A setting that hides itself is on the page about keys, or the list that it is in."""
    found = list(secrets(Settings))
    assert {"orchestrator.publish_key", "orchestrator.destinations.url", "sts.api_key"} <= {*found}
    named = set(_inline((ROOT / "docs/keys.md").read_text(encoding="utf-8")))
    for key in found:
        parts = key.split(".")
        ways = {".".join(parts[:length]) for length in range(2, len(parts) + 1)}
        assert ways & named, key


def test_every_page_is_linked_from_the_readme() -> None:
    linked = _LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {name for name in NAMES if name != "README.md"} - set(linked) == set()


def test_what_is_wrong_is_found() -> None:
    assert wrong_files("see `audio/bed.py`, `audio/bad.py`, bad.sh, `audio/`, `video/`") == [
        *("audio/bad.py", "bad.sh", "video/"),
    ]
    assert wrong_files("`dubcast.config`, `python -m dubcast.no`, `dubcast.config.Settings`") == [
        "dubcast.no"
    ]
    assert wrong_links("[a](README.md#more) [b](nowhere.md) [c](https://x.y)", ROOT) == [
        "nowhere.md"
    ]
    assert wrong_links("# A heading\n[a](#a-heading) [b](#none) [c](README.md#none)", ROOT) == [
        *("#none", "README.md#none"),
    ]


def test_symbols_that_are_not_there_are_found() -> None:
    way = "## The way of x\n\n1. **One.** `audio/pcm.py`: `{}`, then `audio/bed.py`: `{}`.\n"
    assert wrong_symbols(way.format("from_db()", "StoredBed.read")) == []
    assert wrong_symbols(way.format("to_db()", "StoredBed.rite")) == [
        *("audio/pcm.py: to_db()", "audio/bed.py: StoredBed.rite"),
    ]
    # What is only imported there is named by another file.
    assert wrong_symbols(way.format("RATE", "from_db()")) == ["audio/bed.py: from_db()"]
    assert wrong_symbols("## The way of y\n\n1. **One.** `StoredBed`\n") == ["None: StoredBed"]


def test_commands_that_are_not_there_are_found() -> None:
    good = "`dubcast models pull|list`, `dubcast up --destination x=y`, `dubcast sts | worker`"
    assert wrong_commands(f"{good}, `make test`, `make fresh FRESH='make demo'`") == []
    bad = "`dubcast mend`, `dubcast models push`, `dubcast up --down`, `dubcast sts | wroker`"
    assert wrong_commands(f"{bad}, `make tset`") == [
        *("dubcast mend", "dubcast models push", "dubcast up --down", "dubcast wroker"),
        "make tset",
    ]
    assert wrong_commands("```sh\nmake tset   # `dubcast no`\ndubcast nu\n```") == [
        *("make tset", "dubcast nu"),
    ]


def test_settings_that_are_not_there_are_found() -> None:
    good = "`stream.delay_s`, `stream.separation.nice`, `DUBCAST__STS__URL`, `stream.separation`"
    assert wrong_settings(good) == []
    assert wrong_settings("`stream.delay`, `sts.url.x`, `DUBCAST__STS__UR`") == [
        *("DUBCAST__STS__UR", "stream.delay", "sts.url.x"),
    ]
    assert wrong_settings("`DUBCAST_HOOK_URL`, `DUBCAST_CONFIG`, DUBCAST_STS__URL") == [
        "DUBCAST_STS__URL"
    ]
    assert wrong_metrics("`dubcast_stream_up{stream}`, `dubcast_stream_down`") == [
        "dubcast_stream_down"
    ]
