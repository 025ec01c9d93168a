#!/usr/bin/env bash
# Broadcasts by TLS: CPU time for a delivery over wss:// of fanfare alone, and of nginx that takes TLS off in front of a
# plain fanfare (its worker and that server together), in ratio, one round of each after the other.
#
# The servers have the first core, `fanfare bench` the second: the same build, load and certificate for both. What is
# printed is the median of all rounds, with the lowest and the highest; a fanfare without TLS is there to see what TLS
# itself costs.
#
# Needs nginx with its stream module (on Debian libnginx-mod-stream), openssl, python3 and taskset. ROUNDS (5), SECONDS_EACH (5), CONNECTIONS
# (500), RATE (100) and MESSAGE (64) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-5}
connections=${CONNECTIONS:-500}
rate=${RATE:-100}
message=${MESSAGE:-64}
setups=(fanfare nginx plain)
declare -A port=([fanfare]=18191 [nginx]=18192 [plain]=18193 [behind]=18194)
declare -A pid

for program in nginx openssl python3 taskset; do
    command -v "$program" >/dev/null || { echo "benches/tls.sh needs $program" >&2; exit 1; }
done
[ "$(nproc)" -ge 2 ] || { echo "benches/tls.sh needs two cores" >&2; exit 1; }
cargo build --release --locked --quiet
fanfare=${CARGO_TARGET_DIR:-target}/release/fanfare

home=$(mktemp -d)
stop() {
    for server in "${!pid[@]}"; do kill "${pid[$server]}" 2>/dev/null || true; done
    rm -rf "$home"
}
trap stop EXIT

openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$home/key.pem" -out "$home/cert.pem" 2>/dev/null

modules=""
for folder in /usr/lib/nginx/modules /usr/lib64/nginx/modules; do
    [ -f "$folder/ngx_stream_module.so" ] && modules="load_module $folder/ngx_stream_module.so;"
done
cat >"$home/nginx.conf" <<CONF
$modules
daemon off;
worker_processes 1;
pid $home/nginx.pid;
error_log $home/nginx.log;
events { worker_connections 20000; }
stream {
    tcp_nodelay on;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate $home/cert.pem;
    ssl_certificate_key $home/key.pem;
    server { listen 127.0.0.1:${port[nginx]} ssl; proxy_pass 127.0.0.1:${port[behind]}; proxy_timeout 1h; }
}
CONF
chmod -R a+rX "$home"

serve() { # name, options
    local name=$1
    shift
    taskset -c 0 "$fanfare" -q --listen "127.0.0.1:${port[$name]}" "$@" &
    pid[$name]=$!
}
serve fanfare --tls-cert "$home/cert.pem" --tls-key "$home/key.pem"
serve plain
serve behind
taskset -c 0 nginx -c "$home/nginx.conf" 2>/dev/null &
pid[nginx]=$!

# Ticks of CPU of processes and of those they started.
ticks() {
    local sum=0 process
    for process in "$@" $(for parent in "$@"; do pgrep -P "$parent" || true; done); do
        sum=$((sum + $(awk '{ print $14 + $15 }' "/proc/$process/stat")))
    done
    echo $sum
}

processes() {
    case $1 in
        nginx) echo "${pid[nginx]} ${pid[behind]}" ;;
        *) echo "${pid[$1]}" ;;
    esac
}

url() {
    case $1 in
        plain) echo "ws://127.0.0.1:${port[plain]}/" ;;
        *) echo "wss://127.0.0.1:${port[$1]}/" ;;
    esac
}

for setup in "${setups[@]}"; do
    for try in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/${port[$setup]}") 2>/dev/null && break
        [ "$try" -lt 50 ] || { echo "$setup does not listen: $(cat "$home/nginx.log" 2>/dev/null)" >&2; exit 1; }
        sleep 0.1
    done
done

# A load; says how many deliveries there were. Handshakes are in its CPU time as well, and few beside them.
load() {
    local options=(-c "$connections" -r "$rate" -m "$message" -d "${seconds}s" --ramp 2s --json)
    [ "$1" = plain ] || options+=(--insecure)
    taskset -c 1 "$fanfare" bench "$(url "$1")" "${options[@]}" >"$home/said.json"
    python3 -c 'import json, sys
said = json.load(open(sys.argv[1]))["deliveries"]
assert said["received"] == said["expected"], said
print(said["received"])' "$home/said.json"
}

for round in $(seq "$rounds"); do
    for setup in "${setups[@]}"; do
        read -ra own <<<"$(processes "$setup")"
        before=$(ticks "${own[@]}")
        deliveries=$(load "$setup")
        echo "$round $setup $(($(ticks "${own[@]}") - before)) $deliveries"
    done
done >"$home/measured"

awk -v hertz="$(getconf CLK_TCK)" '
    function median(list, count,   i, j, swap) {
        for (i = 1; i < count; i++)
            for (j = i + 1; j <= count; j++)
                if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
        return list[int((count + 1) / 2)]
    }
    { cost[$1, $2] = $3 / hertz * 1e6 / $4; if ($1 > rounds) rounds = $1 }
    END {
        print "| deliveries by | CPU µs/delivery | fanfare with TLS in ratio to it |"
        print "|---|---|---|"
        split("fanfare nginx plain", setups)
        name["fanfare"] = "fanfare, wss://"; name["nginx"] = "nginx in front of fanfare, wss://"; name["plain"] = "fanfare, ws://"
        for (s = 1; s <= 3; s++) {
            setup = setups[s]
            for (round = 1; round <= rounds; round++) {
                list[round] = cost[round, setup]; ratio[round] = cost[round, "fanfare"] / cost[round, setup]
            }
            printf "| %s | %.2f | ", name[setup], median(list, rounds)
            if (setup == "fanfare") { print "|"; continue }
            middle = median(ratio, rounds)
            printf "%.2f (%.2f to %.2f) |\n", middle, ratio[1], ratio[rounds]
        }
    }' "$home/measured"
