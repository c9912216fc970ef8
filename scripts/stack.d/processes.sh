# shellcheck shell=bash
# Which server processes live, and starting and ending them.

# Prints the process id in file $1 if that process lives and its command line has $2 in it. A killed
# process that nobody has waited for (a zombie) does not live, and a number may have gone to another.
live_pid() {
  local pid stat command
  [[ -r $1 ]] || return 1
  read -r pid <"$1" || true # RabbitMQ's file has no end of line
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
  stat=${stat##*) }
  [[ ${stat:0:1} != [ZX] ]] || return 1
  command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  [[ $command == *"$2"* ]] && echo "$pid"
}

# The server itself; and the shell that started it, waits for it, and so leaves no zombie behind.
server_pid() {
  case $1 in
    postgres) live_pid "$pg_home/data/postmaster.pid" "-D $pg_home/data" ;;
    rabbitmq) live_pid "$dir/rabbitmq/pid" "-ordermill_amqp_port $amqp_port" ;;
  esac
}
launcher_pid() { live_pid "$dir/$1.launcher" "$(launcher_mark "$1")"; }
launcher_mark() { case $1 in postgres) echo ordermill-launch ;; rabbitmq) echo rabbitmq-server ;; esac; }
ports_of() { case $1 in postgres) echo "$pg_port" ;; rabbitmq) echo "$amqp_port $management_port $dist_port" ;; esac; }
running() { server_pid "$1" >/dev/null || launcher_pid "$1" >/dev/null; }

# Starts a command in a session of its own that holds nothing of the caller's, least of all the pipe
# of a `$(…)` or our locks. Its process id goes to $dir/$1.launcher, what it says to $dir/$1.log.
detach() {
  local name=$1
  shift
  rm -f "$dir/$name.launcher"
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid -f bash -c 'echo $$ >"$0.launcher"; exec "$@"' "$dir/$name" "$@" \
    </dev/null >>"$dir/$name.log" 2>&1 8<&- 9<&-
  until [[ -s $dir/$name.launcher ]]; do sleep 0.01; done
}

wait_until_gone() { # seconds, command that succeeds while it is there
  local deadline=$((SECONDS + $1))
  shift
  while "$@" >/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

# By the signal: PostgreSQL ends its sessions and writes a checkpoint at INT, drops everything at QUIT;
# RabbitMQ closes its queues at TERM.
stop_server() { # server, its data are to be wiped: yes or no
  local pid signal
  if ! running "$1"; then return 0; fi
  say "stopping $1"
  case $1/$2 in
    postgres/no) signal=INT ;;
    postgres/yes) signal=QUIT ;;
    rabbitmq/no) signal=TERM ;;
    rabbitmq/yes) signal=KILL ;;
  esac
  if pid=$(server_pid "$1"); then
    kill -s "$signal" "$pid"
  elif pid=$(launcher_pid "$1"); then
    kill -TERM "$pid" # it is starting, and its launcher passes this on
  fi
  if ! wait_until_gone "$STOP_S" running "$1"; then
    say "$1 has not stopped within $STOP_S s; killing it"
    if pid=$(server_pid "$1"); then kill -KILL "$pid"; fi
    if pid=$(launcher_pid "$1"); then kill -KILL "$pid"; fi
  fi
}
