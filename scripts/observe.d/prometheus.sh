# shellcheck shell=bash
# A private Prometheus in $dir: its configuration, starting and ending it.

install_prometheus() {
  { type -P prometheus && type -P promtool; } >/dev/null || install_packages prometheus
}

write_configuration() { # hosts with ports
  local host targets=''
  for host in "$@"; do targets+="${targets:+, }\"$host\""; done
  cat >"$dir/prometheus.yml" <<-END
	global:
	  scrape_interval: $SCRAPE
	  evaluation_interval: $SCRAPE
	rule_files:
	  - $repository/deploy/prometheus/*.rules.yml
	scrape_configs:
	  - job_name: ordermill
	    static_configs:
	      - targets: [$targets]
	END
}

prometheus_pid() { live_pid "$dir/prometheus.launcher" "--config.file=$dir/prometheus.yml"; }

# Starts it, and waits until it answers. Sets prometheus_url, which is in $dir/url too.
launch_prometheus() { # port
  local deadline=$((SECONDS + START_S))
  prometheus_url=http://127.0.0.1:$1
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null ||
    die "another process uses the port $1; choose one by ORDERMILL_OBSERVE_PORT"
  detach prometheus prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
    --storage.tsdb.retention.time=1d --web.listen-address="127.0.0.1:$1" --log.level=warn
  echo "$prometheus_url" >"$dir/url"
  until curl -sf --max-time 5 --noproxy '*' -o /dev/null "$prometheus_url/-/ready"; do
    if ! prometheus_pid >/dev/null || ((SECONDS > deadline)); then
      die "Prometheus does not start: $(tail -n 5 "$dir/prometheus.log")"
    fi
    sleep 0.2
  done
}

stop_prometheus() {
  local pid
  if ! pid=$(prometheus_pid); then return 0; fi
  kill "$pid"
  if ! wait_until_gone "$STOP_S" prometheus_pid; then kill -KILL "$pid"; fi
}
