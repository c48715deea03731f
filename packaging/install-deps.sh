#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# install-deps.sh run|test|arm64|vm|vm-arm64|bench|peers|format: installs the Debian packages that this target needs and that are missing,
# with apt-get, as root or through sudo. Does nothing when all are there. Package lists are refreshed only when what they say does not suffice.
# Writes to standard error only. Exit status: 0 all there, 1 not (one line says why and what to do), 2 usage.
set -u

# libc6-dev is named because gcc only recommends it; libclang-rt is what clang's -fsanitize= links.
build='gcc libc6-dev clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libcapstone-dev libnghttp2-dev'
image='busybox-static cpio kmod xz-utils zstd python3'
serve='curl ca-certificates openssl python3 python3-h2'
tests='libcmocka-dev libclang-rt-dev libssl-dev nginx python3-pytest python3-requests wget perl libwww-perl libio-socket-ssl-perl iproute2'
# Clients and servers of HTTP/2, gRPC and WebSocket; proxies of each kind (dante speaks SOCKS4, microsocks SOCKS5); what speaks HTTP over Unix sockets.
ways='nghttp2-client nghttp2-server nghttp2-proxy python3-httpx python3-h2 python3-grpcio python3-websockets python3-websocket tinyproxy squid-openssl microsocks dante-server podman python3-docker'

die() {
	echo "install-deps: $1" >&2
	exit "${2:-1}"
}

case "${1-}" in
run) wanted="$build $serve" ;;
test) wanted="$build $serve $tests $ways" ;;
# `make ARCH=arm64`: the libraries to link come from tests/vm/root.py, this machine's own are for their headers of BPF.
arm64) wanted="$build gcc-aarch64-linux-gnu libc6-dev-arm64-cross python3" ;;
# Kernels under emulation: QEMU, and what an image is unpacked and packed with. Those of the other architecture: vm-arm64.
vm) wanted="qemu-system-x86 $image" ;;
vm-arm64) wanted="qemu-system-arm $image" ;;
bench) wanted="$build $serve libssl-dev nginx" ;;
# What the benchmark compares with; sslsniff is compiled against kernel headers, any kernel's, when it starts.
peers) wanted="bpftrace bpfcc-tools tcpdump linux-headers-$(dpkg --print-architecture 2>/dev/null || uname -m)" ;;
format) wanted="clang-format" ;;
*) die "usage: install-deps.sh run|test|arm64|vm|vm-arm64|bench|peers|format" 2 ;;
esac

# Not a Debian: whoever has the tools may go on, the build says what else it lacks.
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	command -v clang >/dev/null && exit 0
	die "apt-get not found: install the counterparts of these Debian packages yourself: $wanted"
fi

# Prints the names of $1 that are not installed. libclang-rt-dev stands for the one of clang's own version.
missing() {
	have=" $(dpkg-query -W -f='${db:Status-Status}=${Package} ' $1 'libclang-rt-*-dev' 2>/dev/null)"
	for package in $1; do
		case "$package$have" in
		libclang-rt-dev*" installed=libclang-rt-"*) ;;
		*" installed=$package "*) ;;
		*) echo "$package" ;;
		esac
	done
}

lacking=$(missing "$wanted" | tr '\n' ' ')
[ -n "$lacking" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "not root and no sudo here; run as root: apt-get install $lacking"
	as_root=sudo
fi

# What apt is asked for: libclang-rt-dev under its versioned name, read from what the package clang depends on.
names() {
	for package in $lacking; do
		[ "$package" = libclang-rt-dev ] &&
			package=$(LC_ALL=C apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/libclang-rt-\1-dev/p' | head -n 1)
		echo "$package"
	done
}
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2
}
known() {
	list=$(names)
	[ "$(echo "$list" | wc -w)" -eq "$(echo "$lacking" | wc -w)" ] && apt-get -qq --simulate --no-install-recommends install $list >/dev/null 2>&1
}

echo "install-deps: installing $lacking" >&2
refreshed=
if ! known; then
	apt update || die "apt-get update failed: check the network and the sources in /etc/apt"
	refreshed=yes
	known || die "apt-get cannot install some of: $lacking(Debian 12 or later has them all; check the sources in /etc/apt)"
fi
# Old lists may name versions that the archive no longer has: once more with fresh ones.
if ! apt -y --no-install-recommends install $(names); then
	[ -z "$refreshed" ] && apt update && apt -y --no-install-recommends install $(names) ||
		die "apt-get could not install $lacking(its own message is above)"
fi
lacking=$(missing "$wanted" | tr '\n' ' ')
[ -z "$lacking" ] || die "still missing after apt-get install: $lacking"
