#!/usr/bin/env bash
# Builds the sandbox's image from Debian and Python packages alone, for machines that reach no image registry:
#
#     sudo bash am_assets/engines/sandbox/build_image.sh [--cpp] [--java] [--javascript] [NAME==VERSION...]
#
# The Python packages are those of packages.txt, unless others are named, as by `code.packages` of instruments.yaml; the
# image's tag is made of them. Does nothing where the image exists; with --cpp, --java or --javascript it is made anew,
# with g++, a JDK or Node.js, of which Debian's versions are a part of no identity. Needs root,
# debootstrap, a Docker engine and a Python with pip; takes one or two minutes. With a registry at hand the Dockerfile
# beside this script makes an equivalent image.
set -euo pipefail

anew=
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
debian=python3
extra=
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --cpp) debian=$debian,g++ ;;
    --java) extra="$extra default-jdk-headless" ;;
    --javascript) extra="$extra nodejs" ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  anew=yes
  shift
done
wanted=$(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else cat "$here/packages.txt"; fi | LC_ALL=C sort)
image=am-sandbox:bookworm-$(echo "$wanted" | sha256sum | cut -c1-12) # as in container.py and packages.py
suite=bookworm

if [ -z "$anew" ] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image exists"
  exit 0
fi
docker version >/dev/null || { echo "no Docker engine answers" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
for python in "${PYTHON:-python3}" python3.11 python3.12 python3.13 ""; do
  [ -n "$python" ] || { echo "no Python with pip: apt-get install python3-pip" >&2; exit 1; }
  "$python" -m pip --version >/dev/null 2>&1 && break
done
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root" >&2; exit 1; }

# The mirror this machine's apt uses for the suite, else Debian's own.
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
  awk -v suite="$suite" '$1 == suite { print $2; exit }' || true)

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
if ! debootstrap --force-check-gpg --variant=minbase --include="$debian" "$suite" "$root" \
  "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1; then
  tail -n 20 "$root.log" >&2
  exit 1
fi
rm -f "$root.log"

# Wheels for the Python of this suite, whatever the one that installs them; compiled, as the root will be read-only.
machine=$(uname -m)
echo "$wanted" >"$root/opt/packages.txt"
"$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile \
  --only-binary=:all: --python-version=3.11 --implementation=cp \
  --platform="manylinux_2_17_$machine" --platform="manylinux2014_$machine" --platform="manylinux_2_28_$machine" \
  --target="$root/opt/packages" --requirement="$root/opt/packages.txt"
chroot "$root" python3 -m compileall -q /opt/packages >/dev/null || true # a package may have files of another Python

if [ -n "$extra" ]; then # debootstrap can't: their scripts need a mounted /proc
  mount -t proc proc "$root/proc"
  chroot "$root" sh -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $extra" \
    >"$root.log" 2>&1 || { umount "$root/proc"; tail -n 20 "$root.log" >&2; exit 1; }
  umount "$root/proc"
  rm -f "$root.log"
fi
if [ -x "$root/usr/bin/g++" ]; then # as in headers.py
  mkdir -p "$root/opt/headers/bits"
  chroot "$root" sh -c 'g++ -std=gnu++17 -O2 -w -x c++-header -o /opt/headers/bits/stdc++.h.gch \
    "$(find /usr/include -path "*/bits/stdc++.h" | head -n 1)"'
fi

# Nothing here is installed or read again: packages, their lists and their documentation are dead weight.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}
tar --numeric-owner --one-file-system -C "$root" -c . | docker import --change 'USER 65534:65534' - "$image" >/dev/null
echo "$image built"
