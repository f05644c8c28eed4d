# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# The build tree.
slot=$work/slot
tree=$slot/linux
call "$run/build-tree" "$slot"
check 'tree is made' ok
check 'tree has the series' grep -q 2121 "$tree/init/initramfs.c"
check 'tree has the new file and not the removed one' test -e "$tree/fs/erofs/new.c" -a ! -e "$tree/fs/erofs/gone.c"
find "$tree" -type f -exec touch -d @1000 {} +
KERNEL_PATCHES=1 call "$run/build-tree" "$slot"
check 'fewer patches: the new file goes, the removed one returns' test ! -e "$tree/fs/erofs/new.c" -a -e "$tree/fs/erofs/gone.c"
check 'only what changed has a new time' \
	test "$(cd "$tree" && find . -type f -newermt @2000)" = ./fs/erofs/gone.c
KERNEL_VARIANT=stock call "$run/build-tree" "$slot"
check 'the stock tree is the source' \
	test "$(cd "$tree" && find . -type f -exec sha256sum {} + | sort)" = "$(grep -v data.o <<<"$before")"
check 'a file that is restored has a new time' test "$tree/init/initramfs.c" -nt "$tree/Makefile"
echo 'int edited;' >>"$KERNEL_SRC/fs/erofs/data.c"
rm "$KERNEL_SRC/.gitattributes"
call "$run/build-tree" "$slot"
check 'an edit of KERNEL_SRC arrives' grep -q edited "$tree/fs/erofs/data.c"
check 'and so does a removal' test ! -e "$tree/.gitattributes"
