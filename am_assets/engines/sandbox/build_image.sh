#!/usr/bin/env bash
# Builds the sandbox's image from Debian packages alone, for machines that reach no image registry:
#
#     sudo bash am_assets/engines/sandbox/build_image.sh [--cpp]
#
# Does nothing where the image exists; with --cpp it is made anew, with g++. Needs root, debootstrap and a Docker engine;
# takes about a minute. With a registry at hand the Dockerfile beside this script makes an equivalent image.
set -euo pipefail

packages=python3
[ "${1:-}" = --cpp ] && packages=python3,g++

image=am-sandbox:bookworm # as in container.py
suite=bookworm

if [ "${1:-}" != --cpp ] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image exists"
  exit 0
fi
docker version >/dev/null || { echo "no Docker engine answers" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root" >&2; exit 1; }

# The mirror this machine's apt uses for the suite, else Debian's own.
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
  awk -v suite="$suite" '$1 == suite { print $2; exit }' || true)

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
if ! debootstrap --force-check-gpg --variant=minbase --include="$packages" "$suite" "$root" \
  "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1; then
  tail -n 20 "$root.log" >&2
  exit 1
fi
rm -f "$root.log"

# Nothing here is installed or read again: packages, their lists and their documentation are dead weight.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}
tar --numeric-owner --one-file-system -C "$root" -c . | docker import --change 'USER 65534:65534' - "$image" >/dev/null
echo "$image built"
