#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image. It installs locked versions into /opt, and ends by grading
# bundled smoke submissions: when their totals are not the expected ones, the image build fails and no student meets it.
set -euo pipefail

SOURCE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
HOME_DIR="${AUTOGRADER_HOME:-/opt/autograder}"
TORCH_INDEX="${TORCH_INDEX-https://download.pytorch.org/whl/cpu}"
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# An interpreter counts when it is recent enough, can make virtual environments, and any user can run it
# (student code runs as a user of its own, who cannot read what lies under a root-only home).
usable() {
    local python
    python="$(readlink -f "$(command -v "$1" 2>/dev/null)" 2>/dev/null)" && [ -n "$python" ] || return 1
    case "$python" in /root/*) return 1 ;; esac
    "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local name
    for name in /opt/autograder-python/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
        /usr/local/bin/python3 /usr/bin/python3; do
        if usable "$name"; then readlink -f "$name"; return 0; fi
    done
    return 1
}

install_python() {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends libseccomp2 python3 python3-venv >/dev/null
    find_python >/dev/null && return 0
    # The distribution's Python is too old (Ubuntu 22.04): the deadsnakes archive has newer ones.
    apt-get install -y -qq --no-install-recommends software-properties-common >/dev/null
    add-apt-repository -y ppa:deadsnakes/ppa >/dev/null
    apt-get install -y -qq --no-install-recommends python3.12 python3.12-venv >/dev/null
}

has_seccomp() { ldconfig -p | grep -q 'libseccomp\.so\.2'; }

echo "== Python"
if ! find_python >/dev/null || ! has_seccomp; then install_python; fi
PYTHON="$(find_python)" || { echo "setup.sh: no Python 3.11 to 3.13 that every user can run. Choose a newer base image." >&2; exit 1; }
"$PYTHON" --version

echo "== Packages, at the versions of requirements.lock"
rm -rf "$HOME_DIR"
mkdir -p "$HOME_DIR/app"
"$PYTHON" -m venv "$HOME_DIR/venv"
PIP=("$HOME_DIR/venv/bin/python" -m pip install --quiet --no-cache-dir)
TORCH="$(grep '^torch==' "$SOURCE/requirements.lock")"
# The CPU build is a tenth of the size. Where its index cannot be reached, the default index serves.
if [ -n "$TORCH_INDEX" ]; then
    "${PIP[@]}" --retries 1 --timeout 20 --no-deps --index-url "$TORCH_INDEX" "$TORCH" || echo "setup.sh: $TORCH_INDEX does not answer; using the default index."
fi
"${PIP[@]}" -c "$SOURCE/requirements.lock" -r "$SOURCE/grading.txt"

echo "== Course"
cp -R "$SOURCE/app/." "$HOME_DIR/app/"
cp "$SOURCE/package.json" "$HOME_DIR/package.json"
"$HOME_DIR/venv/bin/python" - "$HOME_DIR/app" <<'PYTHON_CODE'
import site, sys
from pathlib import Path
Path(site.getsitepackages()[0], "autograder-app.pth").write_text(sys.argv[1] + "\n")
PYTHON_CODE
"$HOME_DIR/venv/bin/python" -m compileall -q "$HOME_DIR/app"
# Hidden tests and their data are for root alone; pskit stays readable, because students' code imports it.
chown -R root:root "$HOME_DIR" 2>/dev/null || true
chmod -R go-rwx "$HOME_DIR/app/autograder" "$HOME_DIR/package.json" "$SOURCE"

echo "== Smoke submissions"
"$HOME_DIR/venv/bin/python" -I -m autograder.package.smoke "$HOME_DIR/package.json"
echo "== The image is ready."
