# shellcheck shell=bash
# PostgreSQL: a cluster of its own, and its server.

postgres_environment() {
  pg_env=(env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$pg_home")
  if is_root; then pg_env=(setpriv --reuid=postgres --regid=postgres --clear-groups "${pg_env[@]}"); fi
}

# Built beside and moved, so that a broken-off first start leaves no half a database.
create_cluster() {
  local new=$pg_home/data.new
  rm -rf "$new" "$pg_home/password"
  printf '%s\n' "$LOGIN" >"$pg_home/password"
  if is_root; then chown postgres "$pg_home/password"; fi
  postgres_environment
  (
    cd "$pg_home"
    "${pg_env[@]}" "$pg_bin/initdb" -D "$new" -U "$LOGIN" -A scram-sha-256 --pwfile="$pg_home/password" \
      --no-locale -E UTF8 --data-checksums --no-sync
  ) >>"$dir/postgres.log" 2>&1 || failed postgres "initdb failed"
  rm -f "$pg_home/password"
  mv "$new" "$pg_home/data"
}

# The sessions of a killed server live on until they notice. A new server must not start beside them.
postgres_sessions() {
  local process found=1
  for process in /proc/[0-9]*; do
    if [[ $process/cwd -ef $pg_home/data ]]; then found=0 && echo "${process#/proc/}"; fi
  done 2>/dev/null
  return "$found"
}

launch_postgres() {
  local pid
  [[ -d $pg_home/data ]] || create_cluster
  if ! wait_until_gone "$DYING_S" postgres_sessions; then
    for pid in $(postgres_sessions); do kill -KILL "$pid" 2>/dev/null || true; done
    wait_until_gone "$DYING_S" postgres_sessions || die "a session of the killed PostgreSQL is still open"
  fi
  rm -f "$pg_home/data/postmaster.pid" # whose process is not there: this was asked before
  # max_wal_size: a checkpoint every five minutes under load, instead of the one in ten seconds that PostgreSQL's
  # own log complains of. `postgres` and not pg_ctl: its parent has to be the shell that waits for it.
  (
    cd "$pg_home"
    postgres_environment
    # shellcheck disable=SC2016 # expanded by the inner shell
    detach postgres "${pg_env[@]}" bash -c '"$@" & wait' ordermill-launch \
      "$pg_bin/postgres" -D "$pg_home/data" -p "$pg_port" -c listen_addresses=127.0.0.1 \
      -c unix_socket_directories= -c max_connections=200 -c fsync=on -c max_wal_size=4GB
  )
}

run_psql() {
  env PGPASSWORD="$LOGIN" PGCONNECT_TIMEOUT=5 "$pg_bin/psql" -X -h 127.0.0.1 -p "$pg_port" -U "$LOGIN" "$@"
}

postgres_answers() {
  "$pg_bin/pg_isready" -q -t 2 -h 127.0.0.1 -p "$pg_port" || return 1
  run_psql -d "$LOGIN" -qAtc 'SELECT 1' >/dev/null 2>&1 ||
    run_psql -d postgres -qc "CREATE DATABASE $LOGIN" >/dev/null 2>&1
}
