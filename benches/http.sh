#!/usr/bin/env bash
# Pages beside nginx: requests per second of the same files, in ratio, one round of each after the other.
#
# The server has the first core, wrk the second. Each round asks every server for every file in turn, and its ratios
# are within the round; what is printed is the median of all rounds, with the lowest and the highest, and the
# server's CPU time for a request (on loopback a part of TCP's work for the receiver is in it, more the sooner data is
# sent). nginx runs with one worker, sendfile and no access log; once more with a cache of open files, which it has not
# by default.
#
# Needs nginx, wrk, curl and taskset. ROUNDS (5) and SECONDS_EACH (3) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
sizes=(1k 32k 1m)
servers=(nginx nginx-cache fanfare)
declare -A bytes=([1k]=1024 [32k]=32768 [1m]=1048576)
declare -A port=([nginx]=18181 [nginx-cache]=18182 [fanfare]=18183)
declare -A pid

for program in nginx wrk curl taskset cmp; do
    command -v "$program" >/dev/null || { echo "benches/http.sh needs $program" >&2; exit 1; }
done
[ "$(nproc)" -ge 2 ] || { echo "benches/http.sh needs two cores" >&2; exit 1; }
cargo build --release --locked --quiet

home=$(mktemp -d)
stop() {
    for server in "${servers[@]}"; do [ -z "${pid[$server]:-}" ] || kill "${pid[$server]}" 2>/dev/null || true; done
    rm -rf "$home"
}
trap stop EXIT

mkdir "$home/www"
for size in "${sizes[@]}"; do head -c "${bytes[$size]}" /dev/urandom >"$home/www/$size"; done
chmod -R a+rX "$home"

# nginx as it is measured; the second argument goes into its http block.
start_nginx() {
    cat >"$home/$1.conf" <<CONF
daemon off;
worker_processes 1;
pid $home/$1.pid;
error_log $home/$1.log;
events { worker_connections 1024; }
http {
    sendfile on;
    access_log off;
    keepalive_requests 100000000;
    default_type application/octet-stream;
    $2
    server { listen 127.0.0.1:${port[$1]}; root $home/www; }
}
CONF
    taskset -c 0 nginx -c "$home/$1.conf" 2>/dev/null &
    pid[$1]=$!
}
start_nginx nginx ""
start_nginx nginx-cache "open_file_cache max=1000; open_file_cache_valid 1s;"
taskset -c 0 target/release/fanfare -q --port "${port[fanfare]}" --www "$home/www" &
pid[fanfare]=$!

url() { echo "http://127.0.0.1:${port[$1]}/$2"; }
for server in "${servers[@]}"; do
    for size in "${sizes[@]}"; do
        curl --silent --show-error --fail --noproxy '*' --retry 20 --retry-connrefused --retry-delay 1 \
            "$(url "$server" "$size")" | cmp - "$home/www/$size"
    done
done

# Ticks of CPU that a server has used, its worker's with it.
ticks() {
    local processes="${pid[$1]} $(pgrep -P "${pid[$1]}" || true)" sum=0 process
    for process in $processes; do
        sum=$((sum + $(awk '{ print $14 + $15 }' "/proc/$process/stat")))
    done
    echo $sum
}

# A file that has just been written is not kept by fanfare: another change might not show in its times.
sleep 3

for round in $(seq "$rounds"); do
    for size in "${sizes[@]}"; do
        for server in "${servers[@]}"; do
            before=$(ticks "$server")
            said=$(taskset -c 1 wrk -t1 -c64 -d"${seconds}s" "$(url "$server" "$size")")
            if grep -qE 'Non-2xx|Socket errors' <<<"$said"; then echo "$server, $size: $said" >&2; exit 1; fi
            requests=$(awk '/requests in/ { print $1 }' <<<"$said")
            rate=$(awk '/Requests\/sec/ { print $2 }' <<<"$said")
            echo "$round $size $server $rate $(($(ticks "$server") - before)) $requests"
        done
    done
done >"$home/measured"

awk -v hertz="$(getconf CLK_TCK)" '
    function median(list, count,   i, j, swap) {
        for (i = 1; i < count; i++)
            for (j = i + 1; j <= count; j++)
                if (list[j] < list[i]) { swap = list[i]; list[i] = list[j]; list[j] = swap }
        return list[int((count + 1) / 2)]
    }
    function all_of(what, size, server,   list, round) {
        for (round = 1; round <= rounds; round++) list[round] = what[round, size, server]
        middle = median(list, rounds); lowest = list[1]; highest = list[rounds]
        return middle
    }
    { rate[$1, $2, $3] = $4; cost[$1, $2, $3] = $5 / hertz * 1e6 / $6; if ($1 > rounds) rounds = $1 }
    END {
        print "| file | server | requests/s | CPU µs/request | fanfare in ratio to it |"
        print "|---|---|---|---|---|"
        split("1k 32k 1m", sizes); split("nginx nginx-cache fanfare", servers)
        for (s = 1; s <= 3; s++) for (v = 1; v <= 3; v++) {
            size = sizes[s]; server = servers[v]
            for (round = 1; round <= rounds; round++)
                ratio[round, size, server] = rate[round, size, "fanfare"] / rate[round, size, server]
            printf "| %s | %s | %.0f | %.1f | ", size, server, all_of(rate, size, server), all_of(cost, size, server)
            if (server == "fanfare") { print "" ; continue }
            all_of(ratio, size, server)
            printf "%.2f (%.2f to %.2f) |\n", middle, lowest, highest
        }
    }' "$home/measured"
