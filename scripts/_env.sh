# Sourced by the other scripts: makes an environment once, from hashes alone, and does nothing if it is up to date.
# Sets $root and $bin. The environment is .venv, from requirements/dev.lock. A script that sets env_of=NAME first gets .venv-NAME, from
# requirements/NAME.lock, or from dev.lock if the packages of NAME.lock cannot be installed on this machine.

unset CDPATH
unset PYTHONDONTWRITEBYTECODE # tests and benchmarks start hundreds of processes, each of which would compile every module
root=$(cd "$(dirname "$0")/.." && pwd -P)
env_of=${env_of:-dev}
case $env_of in
dev) env_name=.venv ;;
*) env_name=.venv-$env_of ;;
esac
env_folder=$root/$env_name
bin=$env_folder/bin
env_lock=$env_folder.lock
env_stamp=$env_folder/made-from

env_fail() {
    printf 'Error: %s\n' "$1" >&2
    exit 1
}

env_say() {
    printf '%s\n' "$1" >&2
}

# The inputs of the environment; after a change of any of them the environment is made again.
env_inputs() {
    (cd "$root" && cksum "requirements/$env_of.lock" pyproject.toml scripts/_env.sh && printf '%s\n' "$root")
}

env_is_current() {
    [ -x "$bin/intercom-streams" ] && [ -f "$env_stamp" ] && [ "$(env_inputs)" = "$(cat "$env_stamp")" ]
}

# The oldest supported Python comes first: every pinned package has a wheel for it.
env_python() {
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    env_fail 'Python 3.11 or newer was not found. Install it, or name one: PYTHON=/path/to/python3.11'
}

# One script at a time. The lock of a killed script is recognised because its process does not exist.
env_take_lock() {
    waited=
    until mkdir "$env_lock" 2>/dev/null; do
        owner=$(cat "$env_lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$env_lock"
            continue
        fi
        [ -n "$waited" ] || env_say "Waiting for another script that makes $env_name (delete $env_lock if there is none) ..."
        waited=yes
        sleep 1
    done
    printf '%s\n' $$ >"$env_lock/pid"
    trap 'rm -rf "$env_lock"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

env_release_lock() {
    rm -rf "$env_lock"
    trap - EXIT INT TERM
}

env_offline='Packages could not be installed (see above). The first run needs the Python package registry: check the network
and the proxy settings (HTTPS_PROXY), and the free space of the disk. Later runs need neither.'

env_sync() {
    "$bin/uv" pip sync --no-build --compile-bytecode --quiet --python "$bin/python" --require-hashes "$root/requirements/$1.lock"
}

# Install the packages of this environment, or warn and install those of dev.lock; the next run then tries again.
env_install() {
    env_whole=yes
    if ! env_sync "$env_of"; then
        if [ "$env_of" = dev ] || ! env_sync dev; then env_fail "$env_offline"; fi
        env_whole=
        env_say "The packages that only requirements/$env_of.lock has could not be installed (see above): continuing without them."
    fi
}

env_make() {
    env_say "Making the environment in $env_name (once) ..."
    # An environment without a working Python, or with neither pip nor uv, is the rest of an interrupted run.
    if ! "$bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        ! { "$bin/uv" --version || "$bin/python" -m pip --version; } >/dev/null 2>&1; then
        python=$(env_python) || exit 1
        "$python" -m venv --clear "$env_folder" ||
            env_fail "$python cannot make environments. On Debian and Ubuntu: apt install python3-venv"
    fi
    if ! "$bin/uv" --version >/dev/null 2>&1; then
        # uv itself is installed from its lines of the lock, so that its hashes are checked too.
        awk '/^[^ #]/ { ours = /^uv==/ } ours' "$root/requirements/$env_of.lock" >"$env_folder/uv.lock"
        "$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            -r "$env_folder/uv.lock" || env_fail "$env_offline"
    fi
    env_install
    "$bin/uv" pip install --quiet --python "$bin/python" --offline --no-deps --no-build-isolation --editable "$root" ||
        env_fail "The project itself could not be installed into $env_name (see above)."
    [ -z "$env_whole" ] || env_inputs >"$env_stamp"
}

if ! env_is_current; then
    env_take_lock
    env_is_current || env_make
    env_release_lock
fi
