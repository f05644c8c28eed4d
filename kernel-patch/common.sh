# SPDX-License-Identifier: GPL-2.0-only
# Sourced by every script here: folders, messages, the series and its patches, and a build
# environment that takes nothing over from the caller.
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables are used by the scripts that source this file

# The series for the newest mainline kernel, and the one that takes its place where the source of
# the first cannot be had.
default_series=7.3
fallback_series=6.12

patch_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
project=${patch_dir%/*}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/initoverlayfs
variant=${KERNEL_VARIANT:-patched}
# Builds change the folder, and what they call has to find the same tree.
[[ -z ${KERNEL_SRC:-} ]] || export KERNEL_SRC=$(realpath -m -- "$KERNEL_SRC")

say() { printf 'kernel: %s\n' "$*" >&2; }
die() { printf 'kernel: error: %s\n' "$*" >&2; exit 1; }

# Stops with the names of the programs that are missing.
need() {
	local missing=() program
	for program; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	((${#missing[@]} == 0)) ||
		die "missing programs: ${missing[*]}; \`make deps\` installs what builds need, \`make kernel-check\` what checks need"
}

# Chooses the series: KERNEL_SERIES, else that of KERNEL_SRC, else the default one. Scripts that are
# called from here on take the same one.
choose_series() {
	local answer
	answer=$("$patch_dir/fetch-source" series) || exit 1
	export KERNEL_SERIES=${answer%% *}
	series_dir=$patch_dir/$KERNEL_SERIES
	instead=
	[[ $answer != *' '* ]] || instead=${answer#* }
}

# Says at the end of the output why the series is not the default one.
say_series() { [[ -z ${instead:-} ]] || printf 'SERIES %s: %s\n' "$KERNEL_SERIES" "$instead" >&2; }

# Reads the patches of the variant into the array `patches`, the fixes first, and their number into
# `fixes`. KERNEL_PATCHES=N takes the first N of them, KERNEL_PATCHES=fixes takes the fixes.
read_series() {
	local count=${KERNEL_PATCHES:-}
	shopt -s nullglob
	patches=("$series_dir"/fixes/[0-9][0-9][0-9][0-9]-*.patch)
	fixes=${#patches[@]}
	patches+=("$series_dir"/[0-9][0-9][0-9][0-9]-*.patch)
	shopt -u nullglob
	[[ $count != fixes ]] || count=$fixes
	: "${count:=${#patches[@]}}"
	[[ $count =~ ^[0-9]{1,4}$ ]] && ((10#$count <= ${#patches[@]})) ||
		die "KERNEL_PATCHES=$count: want \`fixes\` or a number from 0 to ${#patches[@]}, the patches in kernel-patch/$KERNEL_SERIES"
	[[ $variant != stock ]] || count=0
	patches=("${patches[@]:0:10#$count}")
}

# The options of the caller's environment and of the caller's make are not meant for a kernel build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
unset CROSS_COMPILE LLVM LLVM_IAS KCFLAGS KCPPFLAGS KAFLAGS HOSTCFLAGS HOSTLDFLAGS
unset CC LD AR HOSTCC W C CF V O M INSTALL_PATH LOCALVERSION KBUILD_OUTPUT
unset KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTRA_SYMBOLS SOURCE_DATE_EPOCH
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export LC_ALL=C TZ=UTC

# Chooses the architecture by KERNEL_ARCH, and what depends on it: the compiler's prefix and the image.
choose_arch() {
	case ${KERNEL_ARCH:-x86_64} in
	x86 | x86_64) export ARCH=x86_64; cross='' image=bzImage ;;
	arm64 | aarch64) export ARCH=arm64; cross=aarch64-linux-gnu- image=Image ;;
	*) die "KERNEL_ARCH=$KERNEL_ARCH: want x86_64 or arm64" ;;
	esac
	boot=arch/${ARCH%_64}/boot
}
choose_arch

# Fixed, so that the same input gives the same bytes.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_VERSION=1 KBUILD_BUILD_USER=initoverlayfs KBUILD_BUILD_HOST=initoverlayfs

# What the names of LLVM's programs end in. Those of Debian 12 are too old for Linux 7.3; it has later ones beside them.
llvm=
! command -v clang-19 >/dev/null || llvm=-19

# The words of make by which sparse looks at what is compiled, byte orders included. Linux 7.3 leaves sparse out, with
# no more than a line about it, if it does not know __typeof_unqual__, as version 0.6.4 does not.
sparse=(C=2 'CF=-D__CHECK_ENDIAN__ -D__typeof_unqual__=__typeof__')

# One cache of object files for all variants and series. Without ccache the builds only take longer.
# Not with CCACHE_NOCPP2: gcc warns of comparisons that come from macros if they are preprocessed already.
export CCACHE_DIR=$cache/ccache CCACHE_MAXSIZE=5G
unset CCACHE_PREFIX CCACHE_BASEDIR CCACHE_SLOPPINESS
# The command that make is to call for a compiler.
cached() { printf '%s\n' "$(! command -v ccache >/dev/null || echo 'ccache ')$1"; }
