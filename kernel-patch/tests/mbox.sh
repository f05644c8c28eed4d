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
check 'no MAINTAINERS' says "the mails do not say who gets them: $KERNEL_SRC has no MAINTAINERS"

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
# The tree's own script is asked for maintainers first, and then for all others. Nobody gets a mail twice.
mkdir "$KERNEL_SRC/scripts"
touch "$KERNEL_SRC/MAINTAINERS"
cat >"$KERNEL_SRC/scripts/get_maintainer.pl" <<'end'
die "no options" unless "@ARGV" =~ /--nogit .*--nokeywords/;
print STDERR "asked for ", scalar(grep(/\.patch$/, @ARGV)), "\n";
exit 3 if -e "fail";
if (grep(/^--m$/, @ARGV)) {
	print "Günther N. Å. <g\@example.org>\n\"Serge E. H.\" <s\@example.org>\n";
} else {
	print "Both <S\@example.org>\nR R <r\@example.org>\nlist\@example.org\n";
}
end
call env FROM='A <a@example.org>' "$run/write-mbox"
check 'the script is asked per series' test "$(grep -c 'asked for 1$' <<<"$output")" = 4
header() { sed -n "/^$1: /,/^[^ ]*: \|^$/{/^$1: \|^ /p}" <<<"$mail"; }
to='To: =?UTF-8?q?G=C3=BCnther_N=2E_=C3=85=2E?= <g@example.org>,
    "Serge E. H." <s@example.org>'
cc='Cc: R R <r@example.org>,
    list@example.org'
mail=$(sed '/^$/q' "$mails/fixes.mbox")
check 'a fix is to those whom MAINTAINERS names' test "$(header To)" = "$to" -a "$(header Cc)" = "$cc"
mail=$(sed '/^$/q' "$mails/initoverlayfs.mbox")
check 'so is the cover letter' test "$(header To)" = "$to"
check 'which others get, too' test "$(header Cc | sed -n '1,/@vger/p')" = "$cc"$',\n    initramfs@vger.kernel.org,'
check 'and all mails of the series' test "$(grep -c '^    initramfs@vger.kernel.org,$' "$mails/initoverlayfs.mbox")" = 2
git -C "$work/receiver" reset --quiet --hard "$base"
call git -C "$work/receiver" am --quiet --empty=drop "$mails"/{fixes,initoverlayfs}.mbox
check 'git am takes mails with names' ok
check 'and makes the same of them' diff -r --exclude=.git --exclude='*.o' "$work/receiver" "$linux"
touch "$KERNEL_SRC/fail"
call env FROM='A <a@example.org>' "$run/write-mbox"
check 'a script that fails' refused "$KERNEL_SRC/scripts/get_maintainer.pl failed (above)"
rm -r "$KERNEL_SRC"/{fail,MAINTAINERS,scripts}

sed -i 's/return 21;/return 12;/' "$series"/fixes/0001-*
call env FROM='A <a@example.org>' "$run/write-mbox"
check 'a patch that does not apply to the base' refused 'fixes/0001-initramfs'
sed -i 's/return 12;/return 21;/' "$series"/fixes/0001-*
mv "$series"/fixes/* "$series/"
rm -rf "$KERNEL_SRC/.git"
