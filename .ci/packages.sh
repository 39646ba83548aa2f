#!/usr/bin/env bash
# Install Debian packages: bash .ci/packages.sh PACKAGE...
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# `update` locks the lists and does not wait for another apt by itself.
for _ in $(seq 60); do
  apt-get update -q && break
  sleep 5
done
apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
