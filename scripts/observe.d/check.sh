# shellcheck shell=bash
# `scripts/observe check`: rules, dashboards and metrics, held against each other by a real Prometheus.
#
#   one server on embedded parts      the demo's orders            most queries have data
#   one on PostgreSQL and RabbitMQ    fewer, faults, and outages   all have, but those of only-failures.txt marked `never`

check() {
  check_files
  binary=${ORDERMILL_BINARY:-${CARGO_TARGET_DIR:-target}/debug/ordermill}
  [[ -x $binary ]] || die "$binary is missing; build it first: cargo build --bin ordermill"
  dir=$(mktemp -d "${TMPDIR:-/tmp}/ordermill-observe-XXXXXX")
  servers=()
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP

  serve embedded && embedded=$url
  local settings
  settings=$(stack start)
  (eval "$settings" && announce) >"$dir/urls"
  serve on-servers "$(sed -n 1p "$dir/urls")" "$(sed -n 2p "$dir/urls")" && on_servers=$url
  write_configuration "$(host_of "$embedded")" "$(host_of "$on_servers")"
  launch_prometheus "$(free_port)"

  say "orders"
  demo "$embedded" "$DEMO_ORDERS"
  demo "$on_servers" "$DEMO_ORDERS_ON_SERVERS"
  # A counter has a rate once it has grown after its first scrape.
  demo "$embedded" "$DEMO_ORDERS_ON_SERVERS"
  curl -sf --noproxy '*' "$embedded/metrics" | promtool check metrics || die "promtool check metrics: see above"
  queries ordinary

  say "faults and outages"
  python3 scripts/observe.d/faults.py "$on_servers" "$prometheus_url"
  outage postgres
  outage rabbitmq
  queries faults
}

check_files() {
  say "rules"
  promtool check rules --lint-fatal deploy/prometheus/*.rules.yml
  promtool check config --syntax-only deploy/prometheus/prometheus.yml
  promtool test rules deploy/prometheus/tests/*.test.yml
  scripts/alerts
}

stack() { ORDERMILL_STACK_DIR=$dir/stack scripts/stack "$@" 2>>"$dir/stack.log"; }
announce() { printf '%s\n' "DATABASE_URL=$DATABASE_URL" "AMQP_URL=$AMQP_URL"; }

# Starts a server with these settings, and waits until it serves. Sets url.
serve() { # name, VARIABLE=VALUE…
  local log=$dir/$1.log data=$dir/$1 deadline=$((SECONDS + START_S))
  : >"$log" # so that it can be read at once
  shift
  env -u DATABASE_URL -u AMQP_URL ORDERMILL_LISTEN=127.0.0.1:0 ORDERMILL_DATA_DIR="$data" ORDERMILL_LOG=warn \
    ORDERMILL_SMS=log ORDERMILL_STEP_TIMEOUT=5s "$@" "$binary" >"$log" 2>&1 &
  servers+=("$!")
  until url=$(sed -n 's,^Ordermill .* at \(http://[^/]*\).*$,\1,p' "$log") && [[ $url ]]; do
    if ! kill -0 "${servers[-1]}" 2>/dev/null || ((SECONDS > deadline)); then
      die "the server does not start: $(tail -n 5 "$log")"
    fi
    sleep 0.1
  done
}

demo() { # URL, orders
  "$binary" demo --url "$1" --orders "$2" >"$dir/demo.log" 2>&1 || die "the demo failed: $(tail -n 20 "$dir/demo.log")"
}

# A server of the stack goes away under a customer who keeps ordering, and comes back.
outage() { # postgres or rabbitmq
  say "outage of $1"
  python3 scripts/observe.d/faults.py --order-for "$((OUTAGE_S + 4))" "$on_servers" &
  local customer=$!
  sleep 2
  stack stop "$1"
  sleep "$OUTAGE_S"
  stack start "$1" >/dev/null
  wait "$customer"
}

queries() { # ordinary or faults
  python3 scripts/observe.d/queries.py "$1" "$prometheus_url"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

clean_up() {
  local server
  stop_prometheus || true
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
  for server in "${servers[@]}"; do wait "$server" 2>/dev/null || true; done
  if [[ -d $dir/stack ]]; then stack stop --wipe || true; fi
  rm -rf "$dir"
}
