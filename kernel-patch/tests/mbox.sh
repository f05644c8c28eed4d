# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# The series as mails. Two patches are there: the first becomes a fix for this test.
mkdir -p "$series/fixes"
mv "$series"/0001-* "$series/fixes/"
mails=$work/build/mbox
call "$run/write-mbox"
check 'no sender' refused "make mbox FROM='Name <name@example.org>'"
call env FROM=nobody "$run/write-mbox"
check 'a sender without an address' refused 'FROM=nobody: want a name and an address'
printf '%s\n' 'RFC: two changes' '================' '' 'A reason.' '<!-- figures -->' 'A figure.' '<!-- end -->' >"$work/RFC.md"
call env FROM='Øyvind B <o@example.org>' "$run/write-mbox"
check 'two files' test "$(head -2 <<<"$output")" = "$mails/fixes.mbox"$'\n'"$mails/initoverlayfs.mbox"
check 'no base without a git tree' says 'KERNEL_SRC= a git tree of Linux 6.12 names one'
check 'no address of the repository' says 'REPOSITORY=https://... does'

git -C "$KERNEL_SRC" init --quiet
git -C "$KERNEL_SRC" add --all
git -C "$KERNEL_SRC" commit --quiet -m base
echo 'int later;' >>"$KERNEL_SRC/fs/erofs/data.c"
call env FROM='Øyvind B <o@example.org>' REPOSITORY=https://example.org/r "$run/write-mbox"
check 'a git tree' ok
git -C "$KERNEL_SRC" checkout --quiet fs/erofs/data.c
git clone --quiet "$KERNEL_SRC" "$work/receiver"
call git -C "$work/receiver" am --quiet --empty=drop "$mails"/{fixes,initoverlayfs}.mbox
check 'git am takes them' ok
check 'what it makes is the series' diff -r --exclude=.git --exclude='*.o' "$work/receiver" "$linux"
check 'the sender is author and has signed off' \
	test "$(git -C "$work/receiver" log --format='%an <%ae> %(trailers:key=Signed-off-by,valueonly,separator=%x2C)' -2 | uniq -c | xargs)" = '2 Øyvind B <o@example.org> Øyvind B <o@example.org>'
base=$(git -C "$KERNEL_SRC" rev-parse HEAD)
check 'both name the base' test "$(grep -c "^base-commit: $base" "$mails"/*.mbox | cut -d: -f2 | xargs)" = '1 1'
check 'the series names the fix that it needs' test "$(grep -c ^prerequisite-patch-id "$mails/initoverlayfs.mbox")" = 1
check 'the cover letter has the title of RFC.md' grep -q '^Subject: \[RFC PATCH 0/1\] two changes' "$mails/initoverlayfs.mbox"
check 'and the address of the repository' grep -q '^The repository: https://example.org/r$' "$mails/initoverlayfs.mbox"
check 'and its text without marker lines' test "$(grep -A 1 '^A reason' "$mails/initoverlayfs.mbox" | tail -1)" = 'A figure.' -a -z "$(grep '^<!--' "$mails/initoverlayfs.mbox")"
sed -i 's/return 21;/return 12;/' "$series"/fixes/0001-*
call env FROM='A <a@example.org>' "$run/write-mbox"
check 'a patch that does not apply to the base' refused 'fixes/0001-initramfs'
sed -i 's/return 12;/return 21;/' "$series"/fixes/0001-*
mv "$series"/fixes/* "$series/"
rm -rf "$KERNEL_SRC/.git"
