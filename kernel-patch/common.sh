# SPDX-License-Identifier: GPL-2.0-only
# Sourced by every script here: where things are, how messages look, and a
# build environment that nothing of the caller's leaks into.
# shellcheck shell=bash

series_version=6.12
# shellcheck disable=SC2034  # used by the scripts that source this file
patch_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
series_dir=$patch_dir/$series_version
cache=${XDG_CACHE_HOME:-$HOME/.cache}/initoverlayfs
variant=${KERNEL_VARIANT:-patched}

say() { printf 'kernel: %s\n' "$*" >&2; }
die() { printf 'kernel: error: %s\n' "$*" >&2; exit 1; }

# Stops with the names of the programs that are missing.
need() {
	local missing=() program
	for program; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	((${#missing[@]} == 0)) ||
		die "missing programs: ${missing[*]}; \`make deps\` installs them"
}

# The array `series`: the patches that the variant takes, in order; at most
# KERNEL_PATCHES of them.
read_series() {
	series=("$series_dir"/[0-9][0-9][0-9][0-9]-*.patch)
	[[ -e ${series[0]} ]] || series=()
	local count=${KERNEL_PATCHES:-${#series[@]}}
	[[ $count =~ ^[0-9]{1,4}$ ]] && ((10#$count <= ${#series[@]})) ||
		die "KERNEL_PATCHES=$count: want a number from 0 to ${#series[@]}, the patches in kernel-patch/$series_version"
	[[ $variant != stock ]] || count=0
	series=("${series[@]:0:10#$count}")
}

# A kernel build takes its options from the environment and from make's own
# variables: what the caller has set for something else must not count.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
unset CROSS_COMPILE LLVM LLVM_IAS KCFLAGS KCPPFLAGS KAFLAGS HOSTCFLAGS HOSTLDFLAGS
unset CC LD AR HOSTCC W C CF V O M INSTALL_PATH LOCALVERSION KBUILD_OUTPUT
unset KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTRA_SYMBOLS SOURCE_DATE_EPOCH
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export ARCH=x86_64 LC_ALL=C TZ=UTC

# What a kernel image says of its build: nothing of this machine, so that the
# same input gives the same bytes.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_VERSION=1 KBUILD_BUILD_USER=initoverlayfs KBUILD_BUILD_HOST=initoverlayfs
