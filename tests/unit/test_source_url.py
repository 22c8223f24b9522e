"""Which sources can be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast.errors import ConfigError
from dubcast.worker.source_url import SCHEMES, path_of, scheme_of


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "file"])
def test_a_url_has_its_scheme(scheme: str) -> None:
    assert scheme_of(f"{scheme}://127.0.0.1/live/a/in") == scheme
    assert scheme_of(f"{scheme.upper()}://127.0.0.1/live/a/in") == scheme


def test_a_path_is_a_file_with_or_without_a_scheme(tmp_path: Path) -> None:
    clip = tmp_path / "clip.flv"
    clip.write_bytes(b"FLV")
    for url in (str(clip), f"file://{clip}"):
        assert scheme_of(url) == "file"
        assert path_of(url) == clip


def test_what_is_not_there_or_not_known_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.flv.*no such file"):
        scheme_of(str(tmp_path / "missing.flv"))
    with pytest.raises(ConfigError, match="no such file"):
        scheme_of(str(tmp_path))  # a folder is none
    with pytest.raises(ConfigError, match=r"'ftp' is not supported; use one of rtmp, .*, file"):
        scheme_of("ftp://127.0.0.1/a")
