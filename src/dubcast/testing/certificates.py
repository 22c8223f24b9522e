"""A certificate authority for tests, and servers' certificates, right and wrong. By openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

_KEY = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"


class Authority:
    """An authority whose files are in `folder`; `file` is what its believers are given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "ca.pem"
        self._openssl(f"req -x509 {_KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=tests")

    def server(self, name: str, *, days: int = 2) -> ssl.SSLContext:
        """What a server of that name or address has; expired if `days` is below 0."""
        kind = "IP" if name[0].isdigit() else "DNS"
        (self._folder / "names").write_text(f"subjectAltName={kind}:{name}\n")
        self._openssl(f"req {_KEY} -keyout own.key -out own.csr -subj /CN={name}")
        self._openssl(
            "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names "
            f"-out own.pem -days {days}"
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self._folder / "own.pem", self._folder / "own.key")
        return made

    def _openssl(self, words: str) -> None:
        argv = ["openssl", *words.split()]
        subprocess.run(argv, cwd=self._folder, check=True, capture_output=True)
