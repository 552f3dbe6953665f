# SPDX-License-Identifier: GPL-2.0-or-later
# daemon.sh - starts the daemon, and waits until it is ready

# Waits on a notification socket as systemd does; prints "bound", then "READY=1" or nothing.
listener='
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(10)
print("bound", flush=True)
try:
    while "READY=1" not in s.recv(4096).decode().splitlines():
        pass
    print("READY=1", flush=True)
except TimeoutError:
    pass
'

# start_daemon LOG COMMAND...: runs the command until it says that it is ready; its process is $daemon
start_daemon()
{
	local log=$1 answer='' socket=$scratch/notify
	shift
	rm -f "$socket" "$scratch/ready"
	mkfifo "$scratch/ready" || return
	/usr/bin/python3 -c "$listener" "$socket" >"$scratch/ready" &
	processes[$!]=1
	exec 3<"$scratch/ready"
	read -r -t 10 answer <&3 || return
	NOTIFY_SOCKET=$socket "$@" >>"$log" 2>&1 3<&- &
	daemon=$!
	processes["$daemon"]=1
	read -r -t 15 answer <&3
	exec 3<&-
	[[ $answer == READY=1 ]]
}
