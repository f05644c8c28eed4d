# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# The choice of the series. Programs with the names of apt's take its place: each suite has the packages
# in a file of its name, the machine's own apt those in `machine`.
chosen() { call env "$@" "$run/fetch-source" series; }
sed -i 's/^VERSION = .*/VERSION = 7/; s/^PATCHLEVEL = .*/PATCHLEVEL = 3/' "$KERNEL_SRC/Makefile"
chosen
check 'the version of KERNEL_SRC chooses' test "$output" = 7.3
chosen KERNEL_SERIES=6.12
check 'KERNEL_SERIES wins' test "$output" = 6.12
chosen KERNEL_SERIES=5.0
check 'a series that there is not' refused 'KERNEL_SERIES=5.0: want one of 7.3 6.12'
sed -i 's/^PATCHLEVEL = .*/PATCHLEVEL = 4/' "$KERNEL_SRC/Makefile"
chosen
check 'a version without a series' refused 'is Linux 7.4, and kernel-patch has no series of this name'

bin=$work/bin
mkdir -p "$bin" "$work/archive" "$work/deb/usr/src" "$work/linux-source-7.3"
cp "$KERNEL_SRC/Makefile" "$work/linux-source-7.3/"
tar -C "$work" -cJf "$work/deb/usr/src/linux-source-7.3.tar.xz" linux-source-7.3
mkdir "$work/deb/DEBIAN"
printf '%s\n' 'Package: linux-source-7.3' 'Version: 7.3.1-1' 'Architecture: all' 'Maintainer: a <a@example.org>' 'Description: x' >"$work/deb/DEBIAN/control"
dpkg-deb --build --root-owner-group "$work/deb" "$work/archive/source.deb" >/dev/null
cat >"$bin/apt" <<'end'
#!/bin/bash
# apt-get and apt-cache: `policy`, `indextargets`, `update` and `download`.
list=$ARCHIVE/machine
if [[ $1 == -c ]]; then
	suite=$(cut -d' ' -f4 "${2%/*}/sources.list")
	cut -d' ' -f3 "${2%/*}/sources.list" >"$ARCHIVE/address"
	list=${2%/*}/lists/packages
	shift 2
fi
while [[ $1 == -* ]]; do [[ $1 != -o ]] || shift; shift; done
case $1 in
policy) sed -n "s/^$2 /  Candidate: /p" "$list" ;;
indextargets) printf '%s\n' 'Debian-Security http://security.example/debian-security/' 'Debian http://mirror.example/debian/' ;;
update) echo >>"$ARCHIVE/updates"; cp "$ARCHIVE/$suite" "$list" ;;
download) cp "$ARCHIVE/source.deb" . ;;
esac
end
chmod +x "$bin/apt"
ln -s apt "$bin/apt-get"
ln -s apt "$bin/apt-cache"
sed -i "s|^default_series=.*|default_series=7.3|; s|^keyring=.*|keyring=$bin/apt|" "$run/common.sh" "$run/fetch-source"
unset KERNEL_SRC
export PATH=$bin:$PATH ARCHIVE=$work/archive
echo 'linux-source-6.12 6.12.1-1' >"$ARCHIVE/machine"
fresh() { rm -rf "$XDG_CACHE_HOME" "$ARCHIVE/updates"; }

fresh
chosen
check 'lists that cannot be read: the older series and the reason' \
	test "${output##*$'\n'}" = '6.12 the package lists of trixie-backports cannot be read'
echo 'other 1' >"$ARCHIVE/trixie-backports"
chosen
check 'no such package: the older series and the reason' test "${output##*$'\n'}" = '6.12 linux-source-7.3 is not in the archive'
chosen
check 'the lists are read once' test "$(wc -l <"$ARCHIVE/updates")" = 2 -a "$output" = '6.12 linux-source-7.3 is not in the archive'
call "$run/series" list
check 'the last line of a script says so' test "${output##*$'\n'}" = 'SERIES 6.12: linux-source-7.3 is not in the archive'
chosen KERNEL_SERIES=7.3
check 'no other series takes the place of one that was asked for' refused 'linux-source-7.3 is not in the archive'
rm "$ARCHIVE/machine"
: >"$ARCHIVE/machine"
chosen
check 'no source at all' refused 'set KERNEL_SRC='
echo 'linux-source-7.3 7.3.1-1' >"$ARCHIVE/trixie-backports"
call "$run/fetch-source" update
chosen
check 'new lists have it' test "$output" = 7.3
check 'the address is that of the machine' test "$(cat "$ARCHIVE/address")" = http://mirror.example/debian/
call "$run/fetch-source"
check 'its source is unpacked' test -f "${output##*$'\n'}/Makefile"
rm -r "$XDG_CACHE_HOME/initoverlayfs/apt" "$ARCHIVE/trixie-backports"
call "$run/fetch-source" id
check 'what is unpacked stays in use without the archive' test "${output##*$'\n'}" = 7.3.1-1
fresh
echo 'linux-source-7.3 7.3.2-1' >"$ARCHIVE/machine"
call "$run/fetch-source" id
check "the machine's own apt is asked first" test "$output" = 7.3.2-1 -a ! -e "$ARCHIVE/updates"
export KERNEL_SRC=$work/source
