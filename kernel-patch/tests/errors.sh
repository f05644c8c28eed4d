# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

sed -i 's/^VERSION = .*/VERSION = 6/; s/^PATCHLEVEL = .*/PATCHLEVEL = 12/' "$KERNEL_SRC/Makefile"
first=$(echo "$series"/0001-*)
# The outermost line of context: patch's fuzz would let it pass.
perl -0pi -e 's/(int a21\(void\)\n\{\nout:\n)\t;/$1\t;;/' "$KERNEL_SRC/init/initramfs.c"
call "$run/build-tree" "$slot"
check 'a patch that does not apply: patch, file and hunk are named' \
	refused "${first##*/} does not apply"
check 'file and hunk' refused 'init/initramfs.c: Hunk #1 FAILED at'
check 'the old tree stays' grep -q 2121 "$tree/init/initramfs.c"
KERNEL_PATCHES=9 call "$run/build-kernel"
check 'too many patches asked for' refused 'KERNEL_PATCHES=9: want `fixes` or a number from 0 to 2'
KERNEL_ARCH=mips call "$run/build-kernel"
check 'an unknown architecture' refused 'KERNEL_ARCH=mips: want x86_64 or arm64'
KERNEL_VARIANT=odd call "$run/build-kernel"
check 'an unknown variant' refused 'KERNEL_VARIANT=odd'
KERNEL_INITRAMFS=$work/nothing.cpio call "$run/build-kernel"
check 'no initramfs to build in' refused 'nothing.cpio: no such file'
KERNEL_SRC=$work/nowhere call "$run/build-kernel"
check 'no source tree' refused 'nowhere: not a folder'
rm -r "${series:?}"/*
call "$run/build-kernel"
check 'no patches' refused 'has no patches of the feature'
