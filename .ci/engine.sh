#!/usr/bin/env bash
# A Docker engine from Debian's packages for the tests marked `container`, and a compiler for bubblewrap, which shows
# programs the host's: so C++ is run without an image three times as large.
#
#     bash .ci/engine.sh start   install what is missing, start dockerd, wait until it answers, build the sandbox image
#     bash .ci/engine.sh stop    end the dockerd that `start` started, and no other
#
# An engine that already answers is used as it is. Sandboxes have no network, so neither has this engine: it makes no
# bridge and leaves the machine's packet filter alone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pidfile=/run/am-assets-dockerd.pid
log=/var/log/am-assets-dockerd.log

engine_answers() { docker version >/dev/null 2>&1; }

install_packages() {
  command -v dockerd >/dev/null && command -v docker >/dev/null && command -v debootstrap >/dev/null &&
    command -v g++ >/dev/null && { python3 -m pip --version || python3.11 -m pip --version; } >/dev/null 2>&1 && return
  bash "$here/packages.sh" docker.io iptables debootstrap g++ python3-pip
}

start_engine() {
  engine_answers && return
  # `setsid` so that the engine outlives the shell that starts it.
  setsid dockerd --pidfile "$pidfile" --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
    --ip-masq=false >"$log" 2>&1 </dev/null &
  for _ in $(seq 120); do
    engine_answers && return
    kill -0 $! 2>/dev/null || break
    sleep 0.5
  done
  echo "dockerd did not come up; the end of $log:" >&2
  tail -n 20 "$log" >&2
  exit 1
}

stop_engine() {
  [ -f "$pidfile" ] || return 0
  pid=$(cat "$pidfile")
  # A stale file may name a process that is something else by now.
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
  kill "$pid"
  for _ in $(seq 60); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.5
  done
  echo "dockerd (pid $pid) did not stop within 30 s" >&2
  exit 1
}

case "${1:-}" in
  start)
    install_packages
    start_engine
    bash "$here/../am_assets/engines/sandbox/build_image.sh"
    ;;
  stop) stop_engine ;;
  *)
    echo "usage: $0 start|stop" >&2
    exit 2
    ;;
esac
