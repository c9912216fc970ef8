# shellcheck shell=bash
# What is installed, and installing what is not.

find_programs() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  pg_bin=$newest
  [[ -x $pg_bin/postgres ]] || pg_bin=$(dirname "$(type -P postgres || echo /none/postgres)")
  rabbit_bin=/usr/lib/rabbitmq/bin # Debian's /usr/sbin/rabbitmq-server changes to a user of its own
  [[ -x $rabbit_bin/rabbitmq-server ]] ||
    rabbit_bin=$(dirname "$(type -P rabbitmq-server || echo /none/rabbitmq-server)")
  [[ -x $pg_bin/initdb && -x $pg_bin/psql && -x $rabbit_bin/rabbitmq-server ]] && type -P epmd >/dev/null
}

install_programs() { install_packages postgresql rabbitmq-server; }

# Installing must not start the system-wide servers: a policy-rc.d that forbids it, where there is none.
install_packages() { # Debian's packages
  if ! is_root || ! type -P apt-get >/dev/null; then
    die "a program is missing; install it first (on Debian: apt-get install $*)"
  fi
  say "installing $*"
  local policy=/usr/sbin/policy-rc.d apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  {
    "${apt[@]}" update
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "$@"
  } >&2 || die "apt-get could not install $*"
  if [[ $(trap -p EXIT) ]]; then
    rm -f "$policy"
    trap - EXIT
  fi
}
