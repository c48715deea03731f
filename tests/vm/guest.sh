# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The guest's first process on the host's root: the rest of a machine, then /run/httptrace-vm/command, whose output goes to two ports and whose
# exit status into the file `status` of the share. busybox sh: what of the host's root is there is the command's business.
busybox=/run/busybox
share=/run/httptrace-vm
for name in /sys/class/virtio-ports/*; do
	port=/dev/${name##*/}
	case "$($busybox cat "$name/name")" in
	control) control=$port ;;
	out) out=$port ;;
	err) err=$port ;;
	esac
done
$busybox mkdir -p /dev/pts /dev/shm
$busybox mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
$busybox mount -t tmpfs -o mode=1777 shm /dev/shm
$busybox ln -sfn /proc/self/fd /dev/fd
$busybox ln -sfn fd/0 /dev/stdin
$busybox ln -sfn fd/1 /dev/stdout
$busybox ln -sfn fd/2 /dev/stderr
$busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
$busybox mount -t tracefs tracefs /sys/kernel/tracing
$busybox mount -t debugfs debugfs /sys/kernel/debug
$busybox mount -t securityfs securityfs /sys/kernel/security
$busybox mount -t bpf -o mode=700 bpf /sys/fs/bpf
$busybox ifconfig lo 127.0.0.1 netmask 255.0.0.0 up
$busybox hostname httptrace-vm
# A root that was never installed has none.
[ -e /etc/resolv.conf ] || : >/etc/resolv.conf
# What systemd gives its services.
ulimit -Hn 524288
ulimit -Sn 1024

# Through pipes: a port can be opened once only, and a command may open its /dev/stdout.
$busybox mkfifo /run/out /run/err
$busybox cat /run/out >"$out" &
out_pid=$!
$busybox cat /run/err >"$err" &
err_pid=$!
# Held open, so that there is a pipe to write the marks to.
exec 3>/run/out 4>/run/err
echo "started" >"$control"
$busybox setsid $busybox sh "$share/command" </dev/null >&3 2>&4 3>&- 4>&-
status=$?
echo $status >"$share/status"
# A process that the command left behind may keep its pipes open. What the command itself said stands before the mark: run.py reads no further,
# and ends the machine.
$busybox cat "$share/end" >&3
$busybox cat "$share/end" >&4
exec 3>&- 4>&-
wait $out_pid $err_pid
$busybox sync
$busybox reboot -f
