# shellcheck shell=bash
# Ports and places: chosen at the first start, kept in $dir/settings.

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

any_listening() { # ports
  local port
  for port in "$@"; do
    if listening "$port"; then return 0; fi
  done
  return 1
}

block_is_taken() { # its first port
  local ports
  mapfile -t ports < <(seq "$1" $(($1 + PORTS_EACH - 1)))
  any_listening "${ports[@]}"
}

choose_ports() {
  local blocks=$(((PORTS_LAST + 1 - PORTS_FIRST) / PORTS_EACH)) try
  for ((try = 0; try < blocks; try++)); do
    base_port=$((PORTS_FIRST + RANDOM % blocks * PORTS_EACH))
    if ! block_is_taken "$base_port"; then return; fi
  done
  die "no $PORTS_EACH free ports between $PORTS_FIRST and $PORTS_LAST"
}

# As root PostgreSQL runs as the user postgres, which must be able to reach its data.
choose_postgres_home() {
  pg_home=$dir/postgres
  mkdir -p "$pg_home"
  is_root || return 0
  id postgres >/dev/null 2>&1 || die "PostgreSQL refuses to run as root, and the user postgres does not exist"
  if ! setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$pg_home/."; then
    rmdir "$pg_home"
    pg_home=$(mktemp -d /var/tmp/ordermill-stack-XXXXXX)
    say "the user postgres cannot access $dir; its data is in $pg_home"
  fi
  chown postgres "$pg_home"
}

name_ports() {
  pg_port=$base_port amqp_port=$((base_port + 1)) management_port=$((base_port + 2))
  dist_port=$((base_port + 3)) epmd_port=$((base_port + 4)) ctl_port=$((base_port + 5))
  database_url=postgres://$LOGIN:$LOGIN@127.0.0.1:$pg_port/$LOGIN
  amqp_url=amqp://$LOGIN:$LOGIN@127.0.0.1:$amqp_port/%2f
  management_url=http://$LOGIN:$LOGIN@127.0.0.1:$management_port
}

load_settings() {
  [[ -r $dir/settings ]] || return 1
  { read -r base_port; read -r pg_home; } <"$dir/settings"
  name_ports
}

save_settings() {
  printf '%s\n' "$base_port" "$pg_home" >"$dir/settings.new"
  mv "$dir/settings.new" "$dir/settings"
  name_ports
}

# While a new stack takes its ports no other may look for some: two first starts follow each other.
prepare_settings() {
  exec 8</tmp
  if ! load_settings; then
    flock -w "$LOCK_S" 8 || die "another stack is still starting after $LOCK_S s"
    choose_postgres_home
    choose_ports
    save_settings
  elif ! running postgres && ! running rabbitmq; then
    stop_epmd
    if ! wait_until_gone "$DYING_S" block_is_taken "$base_port"; then
      flock -w "$LOCK_S" 8 || die "another stack is still starting after $LOCK_S s"
      say "another process uses a port of $base_port to $((base_port + PORTS_EACH - 1)); selecting other ports"
      choose_ports
      save_settings
    fi
  fi
}

write_env() {
  {
    echo "DATABASE_URL=$database_url"
    echo "AMQP_URL=$amqp_url"
    if has_management; then echo "MANAGEMENT_URL=$management_url"; fi
    echo "POSTGRES_PID_FILE=$pg_home/data/postmaster.pid"
    echo "RABBITMQ_PID_FILE=$dir/rabbitmq/pid"
  } >"$dir/env.new"
  mv "$dir/env.new" "$dir/env"
}
