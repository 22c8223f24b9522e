#!/usr/bin/env bash
# Runs commands in a bare Debian 12: a root made by debootstrap, with git and make and nothing else,
# and the committed tree (HEAD) cloned into it. What works here works on a fresh machine.
#
# Usage: scripts/fresh.sh FOLDER COMMAND...    each command runs, whatever the one before it said
#   FOLDER/log.txt holds everything; FOLDER/bare-*.tar the bare root, for the next time.
#   KEEP=1 leaves the root in FOLDER/root; a failed run leaves it as well.
#   MIRROR=URL where apt's own sources name no Debian 12 (on Ubuntu).
# Exit code: 0 all commands succeeded, 1 one failed, 2 the root could not be made.
#
# How this machine reaches the package registries (proxies, certificates, the settings of apt, pip and
# npm) is carried in, but none of its packages. All mounts lie in a mount namespace of their own, and
# all processes in a process namespace: both go when this ends, however it ends, and no `rm` outside
# ever sees a mount.
set -euo pipefail

SUITE=bookworm
INCLUDE=ca-certificates,git,make
TREE=$(cd "$(dirname "$0")/.." && pwd)

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

fail() {
  echo "fresh: $*" >&2
  exit 2
}

# What of the environment says how registries are reached. Folders of packages are this machine's.
settings_of_registries() {
  local name
  for name in $(compgen -e); do
    case $name in
      PIP_FIND_LINKS | PIP_CACHE_DIR | PIP_TARGET | PIP_PREFIX | PIP_USER) ;;
      *_proxy | *_PROXY | PIP_* | npm_config_* | NPM_CONFIG_* | SSL_CERT_* | NODE_EXTRA_CA_CERTS | \
        REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE) echo "$name" ;;
    esac
  done
}

# debian_sources: "URI SUITE COMPONENT" of each source of Debian 12 that apt knows here.
debian_sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    grep -E " $SUITE(-updates|-security)? main$" | sort -u
}

mirror() {
  if [ -n "${MIRROR:-}" ]; then
    echo "$MIRROR"
  else
    debian_sources | awk -v suite=$SUITE '$2 == suite { print $1; exit }'
  fi
}

make_bare_root() {
  local tar=$1 root=$2 from
  from=$(mirror)
  [ -n "$from" ] || fail "apt names no source of Debian 12 here: give MIRROR=URL"
  command -v debootstrap >/dev/null || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends debootstrap
  }
  say "bare Debian 12 ($INCLUDE)"
  debootstrap --variant=minbase --include=$INCLUDE $SUITE "$root" "$from"
  rm -rf --one-file-system "$root/var/cache/apt/archives" "$root/etc/apt/sources.list"
  mkdir -p "$root/var/cache/apt/archives/partial"
  tar --numeric-owner -C "$root" -cf "$tar.part" .
  mv "$tar.part" "$tar"
}

# carry ROOT FILE...: files and folders of this machine, where there are such, at the same place.
carry() {
  local root=$1 file
  shift
  for file in "$@"; do
    [ -e "$file" ] || continue
    mkdir -p "$root$(dirname "$file")"
    # Never through a link in the root, which may point out of it.
    cp -aL --remove-destination "$file" "$root$(dirname "$file")/"
  done
}

carry_settings() {
  local root=$1 name value
  if [ -n "${MIRROR:-}" ]; then
    echo "deb $MIRROR $SUITE main"
  else
    debian_sources | sed 's/^/deb /'
  fi >"$root/etc/apt/sources.list"
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/50carried"
  carry "$root" /etc/hosts /etc/resolv.conf /etc/apt/auth.conf /etc/apt/auth.conf.d \
    /etc/apt/trusted.gpg.d /etc/apt/keyrings /usr/local/share/ca-certificates \
    /etc/pip.conf /etc/xdg/pip /etc/npmrc /usr/local/etc/npmrc
  # The one who runs this may not be root at home.
  for name in .npmrc .pip .config/pip; do
    [ -e "$HOME/$name" ] || continue
    mkdir -p "$root/root/$(dirname "$name")"
    cp -aL "$HOME/$name" "$root/root/$name"
    chown -R 0:0 "$root/root/$name"
  done
  for name in $(settings_of_registries); do
    value=${!name}
    # The system's own bundle is made anew below.
    case $value in /etc/ssl/certs/*) continue ;; esac
    [ ! -f "$value" ] || carry "$root" "$value"
  done
  chroot "$root" /usr/sbin/update-ca-certificates >/dev/null 2>&1 || fail "bad certificates"
}

clone_head() {
  local copy=$1/root/dubcast changed
  changed=$(git -C "$TREE" status --porcelain | cut -c4- | tr '\n' ' ')
  [ -z "$changed" ] || say "not committed, so not tried: $changed"
  git init -q -b main "$copy"
  git -C "$copy" -c "safe.directory=*" fetch -q "$TREE" HEAD
  git -C "$copy" reset -q --hard FETCH_HEAD
  say "the tree at $(git -C "$copy" log -1 --format='%h %s')"
}

# Mounts what a program expects of a machine: nothing of it is this machine's own folder.
mount_system() {
  local root=$1 node
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sys "$root/sys"
  mount -t tmpfs -o mode=755 dev "$root/dev"
  mkdir "$root/dev/shm" "$root/dev/pts"
  for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
  done
  mknod -m 666 "$root/dev/tty" c 5 0
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s /proc/self/fd/0 "$root/dev/stdin"
  ln -s /proc/self/fd/1 "$root/dev/stdout"
  ln -s /proc/self/fd/2 "$root/dev/stderr"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
}

# run_commands ROOT COMMAND...: in the namespaces, with an environment that has the settings alone.
run_commands() {
  local root=$1 command failed=0 started name environment=()
  shift
  mount_system "$root"
  for name in $(settings_of_registries); do environment+=("$name=${!name}"); done
  for command in "$@"; do
    say "\$ $command"
    started=$SECONDS
    if chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${environment[@]}" \
      /bin/bash -c "cd /root/dubcast && $command" </dev/null; then
      say "succeeded in $((SECONDS - started)) s: $command"
    else
      say "FAILED after $((SECONDS - started)) s: $command"
      failed=1
    fi
  done
  return $failed
}

prepare() {
  local folder=$1 tar=$1/bare-$SUITE-${INCLUDE//,/+}.tar root=$1/root
  rm -rf --one-file-system "$root"
  mkdir "$root"
  if [ -e "$tar" ]; then
    tar --numeric-owner -C "$root" -xpf "$tar"
  else
    make_bare_root "$tar" "$root"
  fi
  carry_settings "$root"
  clone_head "$root"
}

# step LOG WHAT ARGUMENT...: one of the two above, in its namespaces; they end with it.
step() {
  local log=$1
  shift
  unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
    "$TREE/scripts/fresh.sh" "$@" > >(tee -a "$log") 2>&1 </dev/null &
  STEP=$!
  wait $STEP
}

main() {
  local folder root failed
  # Its two steps run in processes of their own, where `set -e` holds.
  case ${1:-} in
    --prepare)
      prepare "$2"
      exit
      ;;
    --inside)
      shift
      run_commands "$@"
      exit
      ;;
  esac
  [ $# -ge 2 ] || fail "usage: scripts/fresh.sh FOLDER COMMAND..."
  [ "$(id -u)" -eq 0 ] || fail "makes a root and mounts: run it as root"
  folder=$(realpath -m "$1") root=$folder/root
  shift
  mkdir -p "$folder"
  chmod 700 "$folder" # the settings of registries may hold a key
  exec 9>"$folder/lock"
  flock --nonblock 9 || fail "already running in $folder"

  rm -f "$folder/log.txt"
  # Whoever is the first process of a namespace hears no gentler signal.
  trap 'kill -KILL $STEP; exit 130' INT TERM HUP
  step "$folder/log.txt" --prepare "$folder" || fail "the bare root could not be made"
  step "$folder/log.txt" --inside "$root" "$@" && failed=0 || failed=1
  if [ $failed -eq 0 ] && [ -z "${KEEP:-}" ]; then
    rm -rf --one-file-system "$root"
  else
    say "the root is in $root"
  fi
  exit $failed
}

# Read to its end before anything runs, so that an edit meanwhile does no harm.
main "$@"
