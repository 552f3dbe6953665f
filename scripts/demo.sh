# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh - quickstart demo

wan_address=203.0.113.1 client_address=203.0.113.2 server_address=10.0.0.2

ftp_server='
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(sys.argv[2])
server = FTPServer((sys.argv[1], 21), FTPHandler)
print("ready", flush=True)
server.serve_forever()
'

# Prints the address and port of the reply, waits for a line, then connects and prints the number of bytes.
ftp_client='
import ftplib, socket, sys
ftp = ftplib.FTP(sys.argv[1], timeout=10)
ftp.login()
ftp.trust_server_pasv_ipv4_address = True
ftp.voidcmd("TYPE I")
address = ftp.makepasv()
print(*address, flush=True)
sys.stdin.readline()
data = socket.create_connection(address, timeout=10)
ftp.sendcmd("RETR file")
with data, data.makefile("rb") as stream:
    print(len(stream.read()), flush=True)
ftp.voidresp()
ftp.quit()
'

# in_ns ROLE COMMAND...; not for the background, as it would be the shell in between that is ended
in_ns()
{
	local role=$1
	shift
	ip netns exec "pasvd-$$-$role" "$@"
}

# ip_ns ROLE ARGUMENT...
ip_ns()
{
	local role=$1
	shift
	ip -netns "pasvd-$$-$role" "$@"
}

make_namespaces()
{
	local role
	for role in client router server; do
		namespaces+=("pasvd-$$-$role")
		ip netns add "pasvd-$$-$role" && ip_ns "$role" link set lo up || return
	done
	ip_ns client link add net type veth peer name wan netns "pasvd-$$-router" &&
		ip_ns server link add net type veth peer name lan netns "pasvd-$$-router" &&
		ip_ns client address add $client_address/24 dev net &&
		ip_ns router address add $wan_address/24 dev wan &&
		ip_ns router address add 10.0.0.1/24 dev lan &&
		ip_ns server address add $server_address/24 dev net &&
		ip_ns client link set net up && ip_ns router link set wan up &&
		ip_ns router link set lan up && ip_ns server link set net up &&
		ip_ns client route add default via $wan_address &&
		ip_ns server route add default via 10.0.0.1 &&
		in_ns router sysctl -q net.ipv4.ip_forward=1
}

# A strict firewall; TCP is refused at once, so that nobody has to wait for a timeout.
make_firewall()
{
	in_ns router iptables -P FORWARD DROP &&
		in_ns router iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset &&
		in_ns router build/pasvd rules load --wan wan --server $server_address
}

start_server()
{
	local answer=''
	mkdir "$scratch/files" && head -c 100000 /dev/urandom >"$scratch/files/file" &&
		mkfifo "$scratch/server" || return
	ip netns exec "pasvd-$$-server" /usr/bin/python3 -c "$ftp_server" $server_address "$scratch/files" \
		>"$scratch/server" 2>"$scratch/server.log" &
	processes[$!]=1
	read -r -t 10 answer <"$scratch/server"
	[[ $answer == ready ]] || cat "$scratch/server.log"
	[[ $answer == ready ]]
}

# A client that believes the address in the reply; the lines that matter here go to stdout.
download()
{
	local status
	in_ns client curl -sS -v --disable-epsv --no-ftp-skip-pasv-ip --connect-timeout 2 --max-time 10 \
		-o "$scratch/download" "ftp://$wan_address/file" 2>"$scratch/curl"
	status=$?
	tr -d '\r' <"$scratch/curl" | grep -E '^(> (PASV|RETR)|< 2(27|26)|\* +(Trying|Connecting|Connected|connect|Immediate|Failed)|curl:)'
	return "$status"
}

expectations()
{
	in_ns router conntrack -L expect 2>/dev/null
}

show_failure()
{
	local status
	say "A strict client downloads a file, without pasvd"
	rm -f "$scratch/download"
	download
	status=$?
	((status != 0)) || fail "the download succeeded without pasvd"
	grep -q "227 .*(${server_address//./,}," "$scratch/curl" || fail "the reply does not have the private address"
	say "It failed (curl's exit status $status): the server's reply names its private address, $server_address"
}

show_success()
{
	say "The same download, with pasvd"
	download || fail "the download failed"
	cmp "$scratch/files/file" "$scratch/download" || fail "the file arrived damaged"
	grep -q "227 .*(${wan_address//./,}," "$scratch/curl" || fail "the reply does not have the public address"
	say "It succeeded, the files are equal: the reply names the address that the client dialled, $wan_address"
}

show_expectation()
{
	local address='' port='' length='' client
	say "Once more, step by step: PASV, and a pause before the client connects"
	mkfifo "$scratch/told" "$scratch/go" || return
	ip netns exec "pasvd-$$-client" /usr/bin/python3 -c "$ftp_client" $wan_address <"$scratch/go" >"$scratch/told" &
	client=$!
	processes["$client"]=1
	exec 4>"$scratch/go" 5<"$scratch/told"
	read -r -t 15 address port <&5 || fail "no answer to PASV"
	printf 'The client is told %s port %s. On the router, conntrack -L expect:\n' "$address" "$port"
	expectations | tee "$scratch/expect"
	grep -q "src=$client_address dst=$address .*dport=$port .*helper=$(build/pasvd ct-helper)" "$scratch/expect" ||
		fail "the expectation is not there"
	echo go >&4
	read -r -t 15 length <&5 || fail "no data"
	printf 'The client connected and got %s bytes. conntrack -L expect again:\n' "$length"
	[[ $length == 100000 ]] || fail "100000 bytes were sent"
	[[ -z $(expectations) ]] || fail "the expectation is still there"
	printf '(none)\n'
	wait "$client" || fail "the client failed"
	exec 4>&- 5<&-
}

demo()
{
	need "${build_packages[@]}" "${run_packages[@]}" "${demo_packages[@]}"
	build_pasvd
	modprobe -aq nf_conntrack_sane nfnetlink_queue nf_conntrack_netlink
	say "Three network namespaces: client $client_address -- $wan_address router 10.0.0.1 -- $server_address server"
	make_namespaces || fail "the namespaces could not be made"
	say "An FTP server (pyftpdlib) with no settings"
	start_server || fail "the FTP server did not start"
	say "A firewall that forwards nothing, and the rules of pasvd: pasvd rules load --wan wan --server $server_address"
	make_firewall || fail "the rules could not be loaded"
	show_failure
	say "Starting pasvd on the router"
	start_daemon "$scratch/pasvd.log" ip netns exec "pasvd-$$-router" build/pasvd -s "$scratch/ctl" ||
		fail "pasvd did not get ready: $(tail -n 1 "$scratch/pasvd.log")"
	cat "$scratch/pasvd.log"
	show_success
	show_expectation
	say "What pasvd logged"
	end "$daemon" || fail "pasvd ended with status $?"
	cat "$scratch/pasvd.log"
	say "All of it was as it should be. Namespaces and files go now."
}
