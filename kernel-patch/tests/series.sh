# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# An empty series, then three commits.
call "$run/series" edit
check 'edit with no patches gives a tree' ok
check 'build products are not in it' test ! -e "$linux/fs/erofs/data.o"
sed -i 's/return 21;/return 2121;/' "$linux/init/initramfs.c"
commit -s -m 'initramfs: change — a line' -m 'A reason.' -m 'Fixes: 0123456789ab ("one")'
echo 'int new;' >"$linux/fs/erofs/new.c"
git -C "$linux" rm --quiet fs/erofs/gone.c
git -C "$linux" add fs/erofs/new.c
commit -m 'erofs: add one file, remove another'
echo 'int more;' >>"$linux/fs/erofs/data.c"
commit -m 'erofs: add more'
call "$run/series" refresh
check 'refresh writes' ok
check 'refresh writes three patches' test "$(ls "$series"/*.patch | wc -l)" = 3
written=$(sums)
check 'no trailer names a git version' test -z "$(grep -hx -e '-- ' "$series"/*.patch)"
check 'no commit id' test "$(sed -sn 1p "$series"/*.patch | cut -c1-46 | uniq -c | awk '{ print $1, $3 }')" = "3 $(printf '0%.0s' {1..40})"
check 'whole object ids' test -z "$(grep -h '^index' "$series"/*.patch | grep -vE '^index [0-9a-f]{40}\.\.[0-9a-f]{40}')"
check 'hunks are headed without rules for a language' grep -qE '^@@.*@@ out:$' "$series"/0001-*

check 'no author and no sign-off' test -z "$(grep -hE '^Signed-off-by|example.org' "$series"/*.patch)"
check 'other trailers stay' grep -q '^Fixes: 0123456789ab' "$series"/0001-*

# Neither the user's configuration of git nor the way through a tree changes anything.
git config --global diff.noprefix true
git config --global diff.algorithm patience
git config --global format.signature nobody
git config --global core.abbrev 7
call "$run/series" refresh
check 'a second refresh changes nothing' test "$written" = "$(sums)"
rm -rf "$linux"
call "$run/series" edit
check 'edit applies the series' ok
check 'edit makes a commit a patch' test "$(git -C "$linux" rev-list --count base..HEAD)" = 3
call "$run/series" refresh
check 'edit and refresh are a no-op' test "$written" = "$(sums)"
rm "$work/gitconfig"

# Work that is not in the series is not lost.
echo 'int dirty;' >>"$linux/fs/erofs/data.c"
call "$run/series" edit
check 'edit refuses uncommitted changes' refused 'not committed'
call "$run/series" refresh
check 'refresh refuses uncommitted changes' refused 'not committed'
commit -m 'erofs: dirty'
call "$run/series" edit
check 'edit refuses commits that are not in the series' refused 'kernel-refresh'
check 'and leaves them' test "$(git -C "$linux" rev-list --count base..HEAD)" = 4
git -C "$linux" reset --quiet --hard HEAD~2
call "$run/series" refresh
check 'refresh removes patches whose commits are gone' test "$(ls "$series"/*.patch | wc -l)" = 2

# The border between fixes and feature.
git -C "$linux" branch -f fixes HEAD~1
call "$run/series" refresh
check 'commits up to the branch fixes have a folder of their own' \
	test "$(cd "$series" && echo *.patch fixes/*)" = '0001-erofs-add-one-file-remove-another.patch fixes/0001-initramfs-change-a-line.patch'
rm -rf "$linux"
call "$run/series" edit
check 'edit puts the branch fixes on the last of them' test "$(git -C "$linux" log -1 --format=%s fixes)" = 'initramfs: change — a line'
GIT_SEQUENCE_EDITOR="sed -i '1s/pick/reword/'" GIT_EDITOR='sed -i 1s/change/alter/' git -C "$linux" rebase --quiet -i base >/dev/null 2>&1
check 'it follows a rebase' test "$(git -C "$linux" log -1 --format=%s fixes)" = 'initramfs: alter — a line'
call "$run/series" list
check 'list names the fixes first' test "$output" = "$(printf '%s\n' "$series"/fixes/0001-* "$series"/0001-*)"
git -C "$linux" branch -f fixes base~0
git -C "$linux" checkout --quiet --orphan aside && git -C "$linux" commit --quiet -m aside && git -C "$linux" branch -f fixes && git -C "$linux" checkout --quiet series
call "$run/series" refresh
check 'a border elsewhere is refused' refused 'the branch `fixes` is not between'
git -C "$linux" branch -f fixes base
git -C "$linux" worktree add --quiet "$work/other" --detach
call "$run/series" refresh "$work/other"
check 'refresh writes the commits of another tree' test "$(cd "$series" && ls -d *.patch fixes/* 2>/dev/null | wc -l)" = 2
check 'and there are no fixes any more' test -z "$(ls "$series/fixes")"
call "$run/series" refresh "$work/nowhere"
check 'a tree that is not there' refused 'no such folder'
call "$run/series" refresh
