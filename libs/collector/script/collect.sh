#!/bin/sh
# Reads one Kubernetes node: its own network namespace and those of its pods, as a Hopscope snapshot (format 1) on standard output.
#
#   sh collect.sh > node1.tar              on a node, as root: every pod that is found
#   HOPSCOPE_PODS='shop web-0 <uid> 10.244.1.5
#   shop web-1 <uid> -' sh collect.sh      only these pods: namespace, name, uid[,uid], ip[,ip]; "-" is unknown. A fifth word is
#                                          the file of the network namespace; with "-" for the namespace it is an external host
#
# Only looks: loads no module, changes no setting, writes nowhere but to a temporary folder that it removes. Needs root (it enters
# network namespaces), ip, nsenter, timeout and awk; each other tool that is missing costs the file that it would have written.
# Runs in dash, busybox sh and bash. Hopscope sends this very text to its collector pods; it can be read before it is trusted.
#
#   HOPSCOPE_NODE      name of the node                     default: hostname
#   HOPSCOPE_CLUSTER   name of the cluster                  default: unknown
#   HOPSCOPE_HOST_NS   the node's network namespace         default: /proc/1/ns/net
#   HOPSCOPE_ROOT      the node's file system               default: /proc/1/root
#   HOPSCOPE_JOBS      namespaces read at the same time     default: 2
#   HOPSCOPE_SECONDS   when to stop and send what is there  default: 90
#   HOPSCOPE_FORMAT    tar, or lines where tar is missing   default: tar if there is one
#   HOPSCOPE_SH        the shell that reads namespaces      default: sh
#
# Ends with 0 (done, holes are told in the dump), 64 (asked wrongly), 69 (a needed tool is missing), 73 (no temporary folder),
# 77 (not allowed to enter the node's namespace).
set -u
LC_ALL=C
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
export LC_ALL PATH
umask 077

say() { printf 'hopscope-collect: %s\n' "$*" >&2; }
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# shellcheck disable=SC2012 # ls -i is what all userlands have.
inode_of() { ls -Li "$1" 2>/dev/null | awk '{ print $1; exit }'; }

# A name of Kubernetes (RFC 1123): nothing else becomes a path or part of a JSON text.
is_name() { case $1 in '' | *[!a-z0-9.-]* | .* | -*) return 1 ;; esac; }

check_tools() {
  missing=
  for tool in ip nsenter timeout awk ls grep sed mktemp readlink; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
  done
  [ -z "$missing" ] && return
  say "TOOL_MISSING:$missing (Debian: iproute2, util-linux, coreutils, gawk)"
  exit 69
}

# What the kernel has, so that asking does not make it load the rest: netlink loads what is asked for (request_module in
# net/netfilter/nfnetlink.c and net/core/sock_diag.c). Without kallsyms nobody knows, and the tools are run.
look_at_kernel() {
  has_nft=yes has_ipset=yes has_ctnetlink=yes has_diag=yes
  symbols=$(grep -oE ' (nf_tables_newtable|ip_set_create|ctnetlink_dump_table|tcp_diag_dump|udp_diag_dump)( |	|$)' /proc/kallsyms 2>/dev/null)
  grep -q ' ip_rcv' /proc/kallsyms 2>/dev/null || return 0
  case $symbols in *nf_tables_newtable*) ;; *) has_nft=no ;; esac
  case $symbols in *ip_set_create*) ;; *) has_ipset=no ;; esac
  case $symbols in *ctnetlink_dump_table*) ;; *) has_ctnetlink=no ;; esac
  case $symbols in *tcp_diag_dump*) case $symbols in *udp_diag_dump*) ;; *) has_diag=no ;; esac ;; *) has_diag=no ;; esac
}

# iptables-save is one flavour or the other; its version tells (iptables < 1.8 has legacy only and does not say).
find_save() { # iptables|ip6tables nft|legacy
  if command -v "$1-$2-save" >/dev/null 2>&1; then echo "$1-$2-save" && return; fi
  command -v "$1-save" >/dev/null 2>&1 || return 0
  case $("$1-save" --version 2>/dev/null) in *nf_tables*) flavour=nft ;; *) flavour=legacy ;; esac
  [ "$flavour" = "$2" ] && echo "$1-save"
}

# The part that runs inside a namespace: arguments are kind (node|pod), folder, expected inode ("-": any).
write_reader() {
  cat >"$work/read.sh" <<'READER'
set -u
kind=$1 dir=$2 inode=$3
[ "$inode" = - ] || [ "$(readlink /proc/self/ns/net)" = "net:[$inode]" ] || exit 9
ulimit -c 0
# One file of a dump is at most 64 MiB (shells count in 512 or 1024 bytes).
ulimit -f 131072 2>/dev/null
ulimit -v 4194304 2>/dev/null
ulimit -t 60 2>/dev/null

note() { printf '%s: %s\n' "$1" "$2" >>"$dir/stderr.txt"; }

notes_of() { # file
  [ -s "$dir/.err" ] || return 0
  awk -v file="$1" 'NF && n < 50 { n++; print file ": " $0 }' "$dir/.err" >>"$dir/stderr.txt"
}

# A command that fails or is not there leaves no file and a line in stderr.txt.
run() { # file seconds command...
  file=$1 seconds=$2
  shift 2
  if ! command -v "$1" >/dev/null 2>&1; then note "$file" "$1 is not installed" && return 1; fi
  timeout -s KILL "$seconds" "$@" >"$dir/$file" 2>"$dir/.err" </dev/null
  ended "$file" "$seconds" $? "$*"
}

ended() { # file seconds status command
  notes_of "$1"
  [ "$3" -eq 0 ] && return 0
  rm -f "$dir/$1"
  case $3 in
    124 | 137) note "$1" "\`$4\` was stopped after $2 s" ;;
    153) note "$1" "\`$4\` prints more than 64 MiB" ;;
    *) note "$1" "\`$4\` ended with status $3" ;;
  esac
  return 1
}

save_rules() { # file tool present(yes|no)
  # Without the tables in this kernel there are certainly no rules: the file is there and empty.
  if [ "$3" = no ]; then : >"$dir/$1" && return; fi
  if [ -z "$2" ]; then note "$1" "${1%.txt} is not installed" && return; fi
  run "$1" 30 "$2" -c
}

legacy_present() { # file of /proc/net
  # Files of /proc have no size: only reading tells.
  present=no
  { read -r _ <"/proc/net/$1"; } 2>/dev/null && present=yes
}

# Native tables, one document a line, after the list of all of them: its handles tell which table is older. Those of iptables-nft come
# from the save files: in JSON their matches are opaque. The names come with the list of flowtables: for a list of tables nft 1.0.6 reads
# every rule, which takes it half a minute where iptables-nft has those of 10,000 services.
list_nft() {
  if [ "$HAS_NFT" = no ]; then : >"$dir/nft.json" && return; fi
  run nft.json 20 nft list flowtables || return
  awk '/^table / { sub(/^table /, ""); sub(/ \{$/, ""); print }' "$dir/nft.json" >"$dir/.names"
  : >"$dir/nft.json"
  native=0
  while read -r family name; do
    case $family in ip | ip6 | arp | bridge)
      case $name in filter | nat | mangle | raw | security | broute) continue ;; esac ;;
    esac
    # nft joins its arguments and parses them again: a name with a semicolon would be a command.
    case $family$name in '' | *[!A-Za-z0-9_./-]*) no_nft "table $family has a name that nft cannot be asked for" && return ;; esac
    if [ "$native" = 0 ]; then list_handles; fi
    native=1
    if ! timeout -s KILL 30 nft -j list table "$family" "$name" >"$dir/.table" 2>"$dir/.err" </dev/null; then
      notes_of nft.json
      # Half a rule set would read as a whole one: then there is no file.
      no_nft "table $family $name could not be listed" && return
    fi
    notes_of nft.json
    case $family in netdev | inet) name_devices "$family" "$name" ;; esac
    cat "$dir/.table" >>"$dir/nft.json"
  done <"$dir/.names"
}

list_handles() {
  if timeout -s KILL 15 nft -j list tables >"$dir/.tables" 2>"$dir/.err" </dev/null; then
    cat "$dir/.tables" >>"$dir/nft.json"
  else
    note nft.json 'the list of tables with their handles took too long: which of two chains of equal priority is older is not known'
  fi
}

no_nft() {
  rm -f "$dir/nft.json"
  note nft.json "$1"
}

# nft 1.0.6 prints the devices of ingress and egress chains in its text only; they are written into the JSON as newer nft does.
name_devices() { # family name
  grep -q '"hook": *"[ie]n*gress"' "$dir/.table" || return 0
  timeout -s KILL 30 nft list table "$1" "$2" >"$dir/.text" 2>/dev/null </dev/null || return 0
  [ -s "$dir/.text" ] || return 0
  awk '
    FNR == 1 { file++ }
    file == 1 && /^[ \t]*chain / { chain = $2 }
    file == 1 && /^[ \t]*type [a-z]+ hook (ingress|egress) device/ {
      head = $0
      sub(/^.* hook (ingress|egress) devices? (= )?/, "", head)
      sub(/ priority .*$/, "", head)
      gsub(/[{} "]/, "", head)
      if (head ~ /^[A-Za-z0-9_.@,+-]+$/) devices[chain] = head
    }
    file == 2 {
      line = $0
      for (chain in devices) {
        at = index(line, "\"name\": \"" chain "\", \"handle\"")
        if (at == 0) continue
        head = substr(line, 1, at - 1)
        rest = substr(line, at)
        close_at = index(rest, "}")
        object = substr(rest, 1, close_at)
        if (object ~ /"dev": /) continue
        n = split(devices[chain], names, ",")
        value = "\"" names[1] "\""
        for (i = 2; i <= n; i++) value = value ", \"" names[i] "\""
        if (n > 1) value = "[" value "]"
        sub(/"prio"/, "\"dev\": " value ", \"prio\"", object)
        line = head object substr(rest, close_at + 1)
      }
      print line
    }' "$dir/.text" "$dir/.table" >"$dir/.named" && mv "$dir/.named" "$dir/.table"
}

# The same lines as `sysctl -a -r ^net\.`, each file opened once; sysctl prints a dot in an interface's name as a slash, and leaves out
# the two old names of what neighbours have in milliseconds.
read_sysctls() {
  timeout -s KILL 30 grep -rs '' /proc/sys/net 2>/dev/null </dev/null | awk '
    /\/neigh\/[^\/]*\/(base_reachable_time|retrans_time):/ { next }
    {
      colon = index($0, ":")
      key = substr($0, 11, colon - 11)
      gsub(/\./, "\001", key)
      gsub(/\//, ".", key)
      gsub(/\001/, "/", key)
      print key " = " substr($0, colon + 1)
    }' >"$dir/sysctl-net.txt"
  if [ ! -s "$dir/sysctl-net.txt" ]; then
    rm -f "$dir/sysctl-net.txt"
    note sysctl-net.txt '/proc/sys/net could not be read in 30 s'
  fi
}

list_sockets() {
  # Through /proc where the kernel would have to load its socket monitors first.
  if [ "$HAS_DIAG" = no ]; then
    run ss-listen.txt 10 env PROC_ROOT=/proc ss -lntuH && note ss-listen.txt 'read from /proc/net: wildcard IPv6 listeners may be IPv6 only'
    return
  fi
  run ss-listen.txt 10 ss -lntuH
}

list_connections() {
  if [ "$HAS_CTNETLINK" = no ]; then
    note conntrack.txt 'not read: it would load the module nf_conntrack_netlink'
    [ -r /proc/sys/net/netfilter/nf_conntrack_count ] && cat /proc/sys/net/netfilter/nf_conntrack_count >"$dir/conntrack-count.txt"
    return
  fi
  run conntrack-count.txt 10 conntrack -C
  if ! command -v conntrack >/dev/null 2>&1; then note conntrack.txt 'conntrack is not installed' && return; fi
  # 8 MiB: the table of a busy node has a million entries. head ends conntrack early, which is no failure.
  timeout -s KILL 20 conntrack -L 2>"$dir/.err" </dev/null | head -c 8388608 >"$dir/conntrack.txt"
  if [ "$(wc -c <"$dir/conntrack.txt")" -lt 8388608 ]; then notes_of conntrack.txt && return; fi
  sed '$d' "$dir/conntrack.txt" >"$dir/.cut" && mv "$dir/.cut" "$dir/conntrack.txt"
  note conntrack.txt 'cut to 8 MiB'
}

# The qdiscs, and for devices with clsact (or ingress) the filters that hang there.
list_traffic_control() {
  run tc.txt 10 tc qdisc show || return
  awk '/^qdisc (clsact|ingress) / { for (i = 1; i < NF; i++) if ($i == "dev" && !seen[$(i + 1)]++) print $(i + 1) }' "$dir/tc.txt" >"$dir/.devices"
  while read -r device; do
    for direction in ingress egress; do
      if ! timeout -s KILL 10 tc filter show dev "$device" "$direction" >"$dir/.filters" 2>"$dir/.err" </dev/null; then
        notes_of tc.txt
        rm -f "$dir/tc.txt"
        note tc.txt "filters of $device could not be listed"
        return
      fi
      notes_of tc.txt
      awk -v head="dev $device $direction: " '$0 != "" { print head $0 }' "$dir/.filters" >>"$dir/tc.txt"
    done
  done <"$dir/.devices"
}

run ip-link.json 20 ip -j -d link show
run ip-addr.json 20 ip -j addr show
run ip-route.json 20 ip -j -4 route show table all
run ip6-route.json 20 ip -j -6 route show table all
run ip-rule.json 10 ip -j -4 rule show
run ip6-rule.json 10 ip -j -6 rule show
run ip-neigh.json 20 ip -j neigh show
save_rules iptables-nft-save.txt "$IPTABLES_NFT" "$HAS_NFT"
legacy_present ip_tables_names
save_rules iptables-legacy-save.txt "$IPTABLES_LEGACY" "$present"
save_rules ip6tables-nft-save.txt "$IP6TABLES_NFT" "$HAS_NFT"
legacy_present ip6_tables_names
save_rules ip6tables-legacy-save.txt "$IP6TABLES_LEGACY" "$present"
list_nft
if [ "$HAS_IPSET" = no ]; then : >"$dir/ipset-save.txt"; else run ipset-save.txt 30 ipset save; fi
list_sockets
read_sysctls
cat /proc/net/snmp >"$dir/proc-snmp.txt" 2>/dev/null || rm -f "$dir/proc-snmp.txt"
cat /proc/net/netstat >"$dir/proc-netstat.txt" 2>/dev/null || rm -f "$dir/proc-netstat.txt"
if [ "$kind" = node ]; then
  run bridge-fdb.json 20 bridge -j fdb show
  run bridge-link.json 20 bridge -j -d link show
  run bridge-vlan.json 20 bridge -j vlan show
  # ipvsadm loads ip_vs by itself (libipvs, modprobe_ipvs); without this file the kernel has no IPVS, so there is no service.
  if [ -e /proc/net/ip_vs ]; then run ipvsadm-save.txt 30 ipvsadm -Sn; else : >"$dir/ipvsadm-save.txt"; fi
  list_connections
  list_traffic_control
fi
rm -f "$dir"/.[a-z]*
exit 0
READER
}

# inode, uid or "-", pid: which processes are in which network namespace, and which pod they belong to. Three processes for all of /proc.
# The uid stands in the cgroup's path: .../pod<uid>/... (cgroupfs) or ...-pod<uid with _>.slice (systemd); static pods have 32 digits.
list_namespaces() {
  # shellcheck disable=SC2012 # find has no portable way to print where a link leads.
  ls -l /proc/[0-9]*/ns/net 2>/dev/null >"$work/links"
  grep -sE '[/-]pod[0-9a-f]+' /proc/[0-9]*/cgroup >"$work/cgroups" 2>/dev/null
  awk '
    FNR == 1 { file = FILENAME }
    file ~ /cgroups$/ {
      colon = index($0, ":")
      split(substr($0, 1, colon - 1), part, "/")
      rest = substr($0, colon + 1)
      while (match(rest, /[\/-]pod[0-9a-f][0-9a-f_-]*/)) {
        uid = substr(rest, RSTART + 4, RLENGTH - 4)
        rest = substr(rest, RSTART + RLENGTH)
        gsub(/_/, "-", uid)
        if (length(uid) == 36 || length(uid) == 32) uid_of[part[3]] = uid
      }
      next
    }
    $NF ~ /^net:\[/ {
      split($(NF - 2), part, "/")
      inode = substr($NF, 6, length($NF) - 6)
      print inode, (part[3] in uid_of ? uid_of[part[3]] : "-"), part[3]
    }' "$work/cgroups" "$work/links" | sort -k1,1n -k3,3n >"$work/namespaces"
}

# Namespaces that a bind mount keeps, as containerd and CRI-O make them: they outlive every process. Asked only when a wanted pod is not
# found yet.
list_pinned() {
  : >"$work/pinned"
  for file in "$root"/run/netns/*; do
    [ -e "$file" ] || continue
    inode=$(inode_of "$file")
    [ -n "$inode" ] || continue
    [ "$inode" = "$host_inode" ] && continue
    timeout -s KILL 5 nsenter --net="$file" ip -o addr show 2>/dev/null </dev/null |
      awk -v inode="$inode" -v file="$file" '$3 ~ /^inet/ { split($4, a, "/"); print inode, a[1], file }' >>"$work/pinned"
  done
}

# The container runtime's word where neither processes nor addresses tell (crictl is optional).
ask_runtime() { # uid
  command -v crictl >/dev/null 2>&1 || return 1
  sandbox=$(timeout -s KILL 10 crictl pods --quiet --state ready --label "io.kubernetes.pod.uid=$1" 2>/dev/null </dev/null | head -n 1)
  case $sandbox in '' | *[!a-zA-Z0-9]*) return 1 ;; esac
  timeout -s KILL 10 crictl inspectp --output go-template \
    --template '{{range .info.runtimeSpec.linux.namespaces}}{{if eq .type "network"}}{{.path}}{{end}}{{end}}' "$sandbox" 2>/dev/null </dev/null |
    awk '/^\// { print; exit }'
}

# Every pod that kubelet keeps logs of: /var/log/pods/<namespace>_<name>_<uid>. Those that are gone are simply not found.
list_logged_pods() {
  for folder in "$root"/var/log/pods/*_*_*; do
    [ -d "$folder" ] || continue
    echo "${folder##*/}" | awk -F_ 'NF == 3 { print $1, $2, $3, "-" }'
  done
}

# For each wanted pod: "dump <namespace> <name> <uid> <inode> <path> <pids>", "host <namespace> <name>" or "none <namespace> <name> <uid>".
# By uid first; of several namespaces the one that has the pod's address, else the oldest process's; then by address alone.
plan_pods() {
  awk -v host="$host_inode" '
    function hex6(text,   n, i, head, tail, parts, part, out, count) {
      # 32 digits, as /proc/net/if_inet6 has them.
      count = split(text, parts, ":")
      out = ""
      for (i = 1; i <= count; i++) {
        part = parts[i]
        if (part == "") {
          if ((i == 1 || i == count) && parts[i == 1 ? 2 : count - 1] == "") continue
          tail = 0
          for (n = i + 1; n <= count; n++) if (parts[n] != "") tail++
          head = length(out) / 4
          for (n = head + tail; n < 8; n++) out = out "0000"
          continue
        }
        while (length(part) < 4) part = "0" part
        out = out tolower(part)
      }
      return out
    }
    function hold(address, inode) {
      if (!(address in holder)) holder[address] = inode
      else if (holder[address] != inode) holder[address] = "many"
    }
    function read_addresses(inode, pid,   file, line, last, field) {
      file = "/proc/" pid "/net/fib_trie"
      while ((getline line < file) > 0) {
        if (line ~ /\|-- /) { sub(/^.*\|-- /, "", line); last = line }
        else if (line ~ /\/32 host LOCAL/) hold(last, inode)
      }
      close(file)
      file = "/proc/" pid "/net/if_inet6"
      while ((getline line < file) > 0) {
        split(line, field, " ")
        if (substr(field[1], 1, 4) != "fe80") hold(field[1], inode)
      }
      close(file)
    }
    function by_address(list,   n, i, ips, key) {
      n = split(list, ips, ",")
      for (i = 1; i <= n; i++) {
        if (ips[i] == "-") continue
        key = index(ips[i], ":") ? hex6(ips[i]) : ips[i]
        if (key in holder && holder[key] != "many") return holder[key]
        if (key in pinned) return pinned[key]
      }
      return ""
    }
    FNR == 1 { file = FILENAME }
    file ~ /namespaces$/ {
      if (!($1 in first)) { first[$1] = $3; order[++total] = $1 }
      if (count[$1]++ < 5) pids[$1] = pids[$1] " " $3
      if ($2 != "-" && !(($2, $1) in seen)) { seen[$2, $1] = 1; of_uid[$2] = of_uid[$2] " " $1 }
      next
    }
    file ~ /pinned$/ { if ($2 !~ /^(127\.|::1$|fe80:)/) { pinned[index($2, ":") ? hex6($2) : $2] = $1; pin_path[$1] = $3 } next }
    NF == 5 { print "dump", $1, $2, $3, "-", $5; next }
    {
      if (!read) { for (i = 1; i <= total; i++) if (order[i] != host) read_addresses(order[i], first[order[i]]); read = 1 }
      addressed = by_address($4)
      chosen = ""
      shared = 0
      n = split($3, uids, ",")
      for (u = 1; u <= n; u++) {
        m = split(of_uid[uids[u]], found, " ")
        for (i = 1; i <= m; i++) {
          if (found[i] == host) { shared = 1; continue }
          if (chosen == "" || found[i] == addressed || (chosen != addressed && first[found[i]] + 0 < first[chosen] + 0)) chosen = found[i]
        }
      }
      if (chosen == "") chosen = addressed
      if (chosen in pin_path) print "dump", $1, $2, $3, chosen, pin_path[chosen]
      else if (chosen != "") print "dump", $1, $2, $3, chosen, "/proc/" first[chosen] "/ns/net" pids[chosen]
      else if (shared) print "host", $1, $2
      else print "none", $1, $2, $3
    }' "$work/namespaces" "$work/pinned" "$work/wanted"
}

report() { printf '%s %s/%s %s\n' "$1" "$2" "$3" "${4:-}" >>"$work/reports/$worker"; }

still_there() { # inode path pids...
  inode=$1 path=$2
  shift 2
  [ "$(readlink "$path" 2>/dev/null)" = "net:[$inode]" ] && return 0
  # A bind mount is no link.
  [ "$(inode_of "$path")" = "$inode" ] && return 0
  for pid in "$@"; do [ "$(readlink "/proc/$pid/ns/net" 2>/dev/null)" = "net:[$inode]" ] && return 0; done
  # Those were short-lived. Another process or a bind mount may hold it; what busybox' timeout leaves for a second does not count.
  for file in "$root"/run/netns/*; do [ -e "$file" ] && [ "$(inode_of "$file")" = "$inode" ] && return 0; done
  # shellcheck disable=SC2012
  for pid in $(ls -l /proc/[0-9]*/ns/net 2>/dev/null | awk -v link="net:[$inode]" '$NF == link { split($(NF - 2), part, "/"); print part[3] }'); do
    case $(cat "/proc/$pid/comm" 2>/dev/null) in '' | timeout | busybox) ;; *) return 0 ;; esac
  done
  return 1
}

enter() { # kind folder inode path
  # shellcheck disable=SC2086 # "busybox sh" is two words.
  timeout -s KILL 60 nsenter --net="$4" ${HOPSCOPE_SH:-sh} "$work/read.sh" "$1" "$2" "$3" 2>>"$work/trouble" </dev/null
}

# A pod that vanishes meanwhile costs only itself: what was read of a namespace that lost its interfaces would be a lie.
read_pod() { # namespace name uid inode path pids...
  pod_namespace=$1 pod_name=$2 pod_uid=${3%%,*} pod_inode=$4 pod_path=$5
  shift 5
  if [ "$(date +%s)" -ge "$deadline" ]; then report late "$pod_namespace" "$pod_name" && return; fi
  folder="$work/out/pods/${pod_namespace}_$pod_name"
  [ "$pod_namespace" = - ] && folder="$work/out/external/$pod_name"
  [ "$pod_inode" = - ] && pod_inode=$(inode_of "$pod_path")
  mkdir "$folder" 2>/dev/null || { report failed "$pod_namespace" "$pod_name" 'no folder'; return; }
  enter pod "$folder" "$pod_inode" "$pod_path"
  status=$?
  if ! still_there "$pod_inode" "$pod_path" "$@"; then
    rm -rf "$folder"
    report vanished "$pod_namespace" "$pod_name" && return
  fi
  rm -f "$folder"/.[a-z]*
  case $status in
    0) report dumped "$pod_namespace" "$pod_name" ;;
    124 | 137) printf 'meta.json: stopped after 60 s\n' >>"$folder/stderr.txt" && report partial "$pod_namespace" "$pod_name" 'stopped after 60 s' ;;
    *) rm -rf "$folder" && report failed "$pod_namespace" "$pod_name" "status $status" && return ;;
  esac
  if [ "$pod_namespace" = - ]; then
    printf '{"kind":"external","name":"%s","netnsInode":%s,"takenAt":"%s"}\n' "$pod_name" "$pod_inode" "$(now)" >"$folder/meta.json"
    return
  fi
  uid_json=
  case $pod_uid in - | *[!0-9a-zA-Z-]*) ;; *) uid_json="\"uid\":\"$pod_uid\"," ;; esac
  printf '{"kind":"pod","namespace":"%s","name":"%s",%s"node":"%s","netnsInode":%s,"takenAt":"%s"}\n' \
    "$pod_namespace" "$pod_name" "$uid_json" "$node" "$pod_inode" "$(now)" >"$folder/meta.json"
}

read_pods() { # worker
  worker=$1
  number=0
  while read -r what pod_ns pod rest; do
    number=$((number + 1))
    [ $((number % jobs)) -eq "$worker" ] || continue
    case $what in
      # shellcheck disable=SC2086 # uid, inode, path and pids are words of their own.
      dump) read_pod "$pod_ns" "$pod" $rest ;;
      host) report hostNetwork "$pod_ns" "$pod" ;;
      none) read_by_runtime "$pod_ns" "$pod" "${rest:--}" ;;
    esac
  done <"$work/plan"
}

read_by_runtime() { # namespace name uid
  for runtime_uid in $(echo "$3" | tr , ' '); do
    case $runtime_uid in - | *[!0-9a-zA-Z-]*) continue ;; esac
    runtime_path=$(ask_runtime "$runtime_uid") && [ -n "$runtime_path" ] || continue
    case $runtime_path in /proc/*) ;; *) runtime_path="$root$runtime_path" ;; esac
    runtime_inode=$(inode_of "$runtime_path")
    [ -n "$runtime_inode" ] || continue
    read_pod "$1" "$2" "$3" "$runtime_inode" "$runtime_path"
    return
  done
  # Nobody asked for a pod that only its old logs tell of.
  if [ "$asked" = yes ]; then report notFound "$1" "$2"; fi
}

read_node() {
  mkdir -p "$work/out/nodes/$node"
  enter node "$work/out/nodes/$node" - "$host_ns"
  status=$?
  rm -f "$work/out/nodes/$node"/.[a-z]*
  printf '{"kind":"node","name":"%s","netnsInode":%s,"takenAt":"%s"}\n' "$node" "$host_inode" "$(now)" >"$work/out/nodes/$node/meta.json"
  case $status in
    0) echo null ;;
    124 | 137) echo '"the node could not be read within 60 s"' ;;
    *) echo "\"reading the node ended with status $status\"" ;;
  esac >"$work/node-error"
}

write_out() {
  node_error=$(cat "$work/node-error" 2>/dev/null || echo '"the node was not read"')
  cat "$work"/reports/* 2>/dev/null >"$work/out/collect-report.txt"
  printf '{"format":1,"cluster":"%s","takenAt":"%s","collector":"hopscope-collect.sh/1","nodes":{"%s":{"takenAt":"%s","error":%s}}}\n' \
    "$cluster" "$began" "$node" "$began" "$node_error" >"$work/out/snapshot.json"
  cd "$work/out" || exit 73
  case ${HOPSCOPE_FORMAT:-} in '') command -v tar >/dev/null 2>&1 && format=tar || format=lines ;; *) format=$HOPSCOPE_FORMAT ;; esac
  if [ "$format" = tar ]; then tar -cf - snapshot.json collect-report.txt nodes pods external && return; fi
  find . -type f | while read -r file; do
    printf 'hopscope-file %s %s\n' "$(wc -c <"$file" | tr -d ' ')" "${file#./}"
    cat "$file"
  done
  printf 'hopscope-end\n'
}

clean_up() {
  for child in ${children:-}; do kill "$child" 2>/dev/null; done
  [ -n "${work:-}" ] && cd / && rm -rf "$work"
}

main() {
  node=${HOPSCOPE_NODE:-$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)}
  cluster=${HOPSCOPE_CLUSTER:-unknown}
  host_ns=${HOPSCOPE_HOST_NS:-/proc/1/ns/net}
  root=${HOPSCOPE_ROOT:-/proc/1/root}
  jobs=${HOPSCOPE_JOBS:-2}
  is_name "$node" || { say "'$node' is not the name of a node; set HOPSCOPE_NODE" && exit 64; }
  case $cluster in *[!A-Za-z0-9._-]*) say 'HOPSCOPE_CLUSTER is not a name' && exit 64 ;; esac
  case $jobs in '' | *[!0-9]* | 0) say 'HOPSCOPE_JOBS is not a number' && exit 64 ;; esac
  case ${HOPSCOPE_SECONDS:-90} in *[!0-9]*) say 'HOPSCOPE_SECONDS is not a number' && exit 64 ;; esac
  check_tools
  began=$(now)
  deadline=$(($(date +%s) + ${HOPSCOPE_SECONDS:-90}))
  work=$(mktemp -d "${TMPDIR:-/tmp}/hopscope-collect.XXXXXX") || { say 'NO_TEMPORARY_FOLDER: set TMPDIR to a folder with room' && exit 73; }
  trap clean_up EXIT
  trap 'exit 143' HUP INT PIPE TERM
  mkdir -p "$work/out/pods" "$work/out/external" "$work/reports"
  : >"$work/trouble"
  host_inode=$(inode_of "$host_ns")
  if [ -z "$host_inode" ] || ! nsenter --net="$host_ns" true 2>"$work/trouble"; then
    say "NOT_ALLOWED: the network namespace $host_ns cannot be entered ($(head -n 1 "$work/trouble")); run as root, in a pod privileged and with hostPID"
    exit 77
  fi
  renice -n 10 -p $$ >/dev/null 2>&1
  look_at_kernel
  export HAS_NFT="$has_nft" HAS_IPSET="$has_ipset" HAS_CTNETLINK="$has_ctnetlink" HAS_DIAG="$has_diag"
  IPTABLES_NFT=$(find_save iptables nft) IPTABLES_LEGACY=$(find_save iptables legacy)
  IP6TABLES_NFT=$(find_save ip6tables nft) IP6TABLES_LEGACY=$(find_save ip6tables legacy)
  export IPTABLES_NFT IPTABLES_LEGACY IP6TABLES_NFT IP6TABLES_LEGACY
  write_reader
  asked=yes
  if [ -n "${HOPSCOPE_PODS+set}" ]; then echo "$HOPSCOPE_PODS"; else asked=no && list_logged_pods; fi |
    awk '(NF == 4 || (NF == 5 && $5 ~ /^\/[A-Za-z0-9_\/.-]+$/)) && $1 ~ /^([a-z0-9][a-z0-9-]*|-)$/ &&
      $2 ~ /^[a-z0-9][a-z0-9.-]*$/ && $3 ~ /^[0-9a-zA-Z,-]+$/ && $4 ~ /^[0-9a-fA-F.:,-]+$/' >"$work/wanted"
  [ -n "${HOPSCOPE_PODS+set}" ] || asked=no
  list_namespaces
  : >"$work/pinned"
  plan_pods >"$work/plan"
  if grep -q '^none' "$work/plan"; then list_pinned && plan_pods >"$work/plan"; fi
  read_node &
  children=$!
  worker=0
  while [ "$worker" -lt "$jobs" ]; do
    read_pods "$worker" &
    children="$children $!"
    worker=$((worker + 1))
  done
  wait
  children=
  write_out
}

main "$@"
