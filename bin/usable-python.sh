#!/usr/bin/env bash
# Prints the Python to install with, or what this machine lacks, and the command that installs it, and fails:
#
#     bash bin/usable-python.sh [PYTHON]
#
# It is the newest of python3.13, python3.12 and python3.11 that runs, can make virtual environments and compile C++
# against its own headers: hnswlib and pycosat come as source.
set -u

runs() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

# What an installation by Python $1 lacks, one thing a line.
lacking() {
  "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 || echo "venv of $1"
  headers=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  [ -f "$headers/Python.h" ] || echo "the headers of $1 ($headers/Python.h)"
  # as setuptools finds it
  compiler=${CXX:-$("$1" -c 'import sysconfig; print(sysconfig.get_config_var("CXX") or "c++")')}
  echo '#include <vector>' | ${compiler} -x c++ -fsyntax-only - >/dev/null 2>&1 || echo "a C++ compiler (${compiler%% *})"
}

remedy() {
  if command -v apt-get >/dev/null; then
    echo "apt-get install -y python3-venv python3-dev g++ make"
  elif command -v dnf >/dev/null; then
    echo "dnf install -y python3-devel gcc-c++ make"
  elif [ "$(uname)" = Darwin ]; then
    echo "xcode-select --install"
  else
    echo "(your package manager's) Python with venv and headers, a C++ compiler, make"
  fi
}

found="Python 3.11, 3.12 or 3.13"
for python in ${1:-python3.13 python3.12 python3.11}; do
  runs "$python" || continue # a shim of a version manager may be there and lead nowhere
  missing=$(lacking "$python")
  if [ -z "$missing" ]; then
    command -v "$python"
    exit
  fi
  [ "$found" = "Python 3.11, 3.12 or 3.13" ] && found=$missing # of the newest
done
{
  echo "The installation needs what is missing here:"
  echo "$found" | sed 's/^/  - /'
  echo "Install it (as root) and run make again:"
  echo "  $(remedy)"
  echo "Another Python than the system's, from 3.11 to 3.13, is named by: make run PYTHON=/path/to/python3.13"
} >&2
exit 1
