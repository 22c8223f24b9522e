"""The table of elements against this machine's packages, and a machine that lacks some."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dubcast import gst_elements, system_packages

Without = Callable[..., dict[str, str]]
_ASK = """
import json
from dubcast import gst_elements
from dubcast.worker.gst.pipeline import Gst, init
init()
found = {}
for name in sorted(gst_elements.ELEMENTS):
    plugin = Gst.ElementFactory.find(name).get_plugin()
    found[name] = [plugin.get_filename(), plugin.get_license()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def plugins() -> dict[str, tuple[Path, str]]:
    """Element -> the file and the licence of its plugin. Asked in a process of its own, since the
    bindings' import warns."""
    done = run(dict(os.environ), "-c", _ASK)
    assert done.returncode == 0, done.stderr
    return {
        name: (Path(file), licence) for name, (file, licence) in json.loads(done.stdout).items()
    }


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)


def owners(paths: set[Path]) -> dict[Path, str]:
    """File -> the package that it belongs to."""
    argv = ["dpkg-query", "-S", *sorted(str(path.resolve()) for path in paths)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    lines = (line.rsplit(": ", 1) for line in done.stdout.splitlines())
    found = {Path(file): package.partition(":")[0] for package, file in lines}
    return {path: found[path.resolve()] for path in paths}


def test_each_element_is_in_the_package_that_the_table_names(
    plugins: dict[str, tuple[Path, str]],
) -> None:
    owner = owners({file for file, _ in plugins.values()})
    found = {name: owner[file] for name, (file, _) in plugins.items()}
    assert found == {name: gst_elements.package_of(name) for name in gst_elements.ELEMENTS}


def test_nothing_in_the_process_is_gpl(plugins: dict[str, tuple[Path, str]]) -> None:
    assert {licence for _, licence in plugins.values()} <= {"LGPL", "BSD", "MIT"}


def test_each_program_is_in_the_package_that_the_table_names() -> None:
    # From the system's folders: a person may have others before them.
    path = "/usr/bin:/bin"
    files = {name: Path(shutil.which(name, path=path) or name) for name in system_packages.PROGRAMS}
    owner = owners(set(files.values()))
    assert {name: owner[file] for name, file in files.items()} == system_packages.PROGRAMS


@pytest.fixture
def without(tmp_path: Path, plugins: dict[str, tuple[Path, str]]) -> Without:
    """The environment of a machine whose GStreamer has all of the table but some elements."""

    def environment(*elements: str) -> dict[str, str]:
        gone = {plugins[name][0] for name in elements}
        here = tmp_path / "plugins"
        here.mkdir()
        for file in {file for file, _ in plugins.values()} - gone:
            (here / file.name).symlink_to(file)
        return {
            **os.environ,
            "GST_PLUGIN_SYSTEM_PATH_1_0": str(here),
            "GST_REGISTRY_1_0": str(tmp_path / "registry"),
        }

    return environment


def test_the_doctor_names_each_element_that_is_missing(without: Without, tmp_path: Path) -> None:
    done = run(without("avdec_aac", "rtpbin"), "-m", "dubcast", "doctor")
    assert done.returncode == 1
    lines = {line for line in done.stdout.splitlines() if "GStreamer" in line}
    assert (
        "MISSING  GStreamer for AC-3 sound  "
        "(GStreamer has no element avdec_ac3: apt install gstreamer1.0-libav)"
    ) in lines
    rtsp = next(line for line in lines if "input by rtsp" in line)
    assert "rtpbin" in rtsp
    assert "apt install gstreamer1.0-plugins-good" in rtsp
    assert not [line for line in lines if "for output" in line or "input by rtmp" in line]


@pytest.mark.parametrize(
    ("source", "element", "package"),
    [
        # Made by another element, and needed by what is built only when media has come.
        ("rtsp://127.0.0.1:9/live/t/in", "rtpbin", "gstreamer1.0-plugins-good"),
        ("srt://127.0.0.1:9", "voaacenc", "gstreamer1.0-plugins-bad"),
    ],
)
def test_a_worker_that_lacks_an_element_names_it_and_ends(
    without: Without, source: str, element: str, package: str
) -> None:
    words = ["--stream-id", "t", "--input", source, "--output", "rtmp://127.0.0.1:9/live/t/out"]
    done = run(without(element), "-m", "dubcast", "worker", *words)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("dubcast: ")]
    assert len(said) == 1
    assert said[0].endswith(f": apt install {package}")
    assert element in said[0]


def test_a_recorder_that_lacks_an_element_names_it_and_ends(
    without: Without, tmp_path: Path
) -> None:
    url = "rtmp://127.0.0.1:9/live/t/out"
    done = run(without("rtmp2src"), "-m", "dubcast.measure.recorder", url, str(tmp_path / "o.flv"))
    assert done.returncode != 0
    assert "no element rtmp2src: apt install gstreamer1.0-plugins-bad" in done.stderr


def test_a_pipeline_takes_its_elements_from_the_table() -> None:
    program = "from dubcast.worker.gst.pipeline import init, make; init(); make('queue')"
    assert run(dict(os.environ), "-c", program).returncode == 0
    done = run(dict(os.environ), "-c", f"{program}; make('fakesink')")
    assert "LookupError: fakesink is not in the table" in done.stderr
