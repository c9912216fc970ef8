# shellcheck shell=bash
# RabbitMQ: a node of its own with its port mapper (epmd), which reads nothing of the system's own.

has_management() { grep -qs management "$dir/rabbitmq/enabled_plugins"; }

# What the server and its tools are told. Nothing of the system's own RabbitMQ is read.
rabbitmq_environment() {
  local home=$dir/rabbitmq
  rabbit_env=(env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$home/home"
    RABBITMQ_NODENAME=ordermill@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
    RABBITMQ_NODE_PORT="$amqp_port" RABBITMQ_DIST_PORT="$dist_port"
    ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1
    RABBITMQ_CTL_DIST_PORT_MIN="$ctl_port" RABBITMQ_CTL_DIST_PORT_MAX="$((base_port + PORTS_EACH - 1))"
    RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_LOG_BASE="$home/log" RABBITMQ_PID_FILE="$home/pid"
    RABBITMQ_CONF_ENV_FILE="$home/none.conf" RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf"
    RABBITMQ_ADVANCED_CONFIG_FILE="$home/none.config" RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins"
    # Schedulers that do not spin when idle: the machine is shared with what is being tested.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} -ordermill_amqp_port $amqp_port")
}

configure_rabbitmq() {
  local home=$dir/rabbitmq
  mkdir -p "$home"/{mnesia,log,home}
  : >"$home/none.conf"
  cat >"$home/rabbitmq.conf" <<-END
	default_user = $LOGIN
	default_pass = $LOGIN
	management.tcp.ip = 127.0.0.1
	management.tcp.port = $management_port
	vm_memory_high_watermark.absolute = 512MiB
	disk_free_limit.absolute = 50MB
	# A quorum queue's log is held in memory up to this size, which by default is the whole watermark. When it is
	# full it is written over into the queues' own files, and orders wait meanwhile: half a second for 64 MiB.
	raft.wal_max_size_bytes = 8388608
	END
  if [[ ${ORDERMILL_STACK_MANAGEMENT:-on} = off ]]; then
    echo '[].' >"$home/enabled_plugins"
  else
    echo '[rabbitmq_management].' >"$home/enabled_plugins"
  fi
}

epmd_pid() { live_pid "$dir/epmd.launcher" "-port $epmd_port"; }

# RabbitMQ would start a port mapper itself, which outlives it and whose process id nobody knows.
launch_rabbitmq() {
  configure_rabbitmq
  rabbitmq_environment
  (
    cd "$dir/rabbitmq"
    ulimit -n 16384 2>/dev/null || true # more would cost Erlang memory, and less is short of sockets
    epmd_pid >/dev/null || detach epmd "$(type -P epmd)" -port "$epmd_port" -address 127.0.0.1
    detach rabbitmq "${rabbit_env[@]}" "$rabbit_bin/rabbitmq-server"
  )
}

stop_epmd() {
  local pid
  if pid=$(epmd_pid); then kill "$pid"; fi
}

# Asked the way a client would: the AMQP header is answered with a method frame, an HTTP request by HTTP.
rabbitmq_answers() {
  answers "$amqp_port" 'AMQP\x00\x00\x09\x01' $'\x01' || return 1
  ! has_management || answers "$management_port" 'GET /api/overview HTTP/1.0\r\n\r\n' H
}

answers() { # port, what to say, the first byte of what should come back
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    # shellcheck disable=SC2059 # the escapes are the point
    printf "$2" >&3
    IFS= read -r -t 2 -N 1 -u 3 byte && [[ $byte = "$3" ]]
  ) 2>/dev/null
}
