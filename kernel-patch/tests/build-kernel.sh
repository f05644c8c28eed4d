# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# Stands in for the kernel's own Makefile: its compiler takes a minute.
cp "$KERNEL_SRC/Makefile" "$work/Makefile.kept"
cat >>"$KERNEL_SRC/Makefile" <<END
tinyconfig: ; @: >\$(KCONFIG_CONFIG)
olddefconfig vmlinux: ; @:
bzImage: ; @echo \$\$\$\$ >$work/compiler; exec sleep 60
END
"$run/build-kernel" >/dev/null 2>"$work/said" &
for _ in {1..100}; do
	[[ ! -s $work/compiler ]] || break
	sleep 0.1
done
kill %%
wait %% 2>/dev/null
for _ in {1..50}; do
	kill -0 "$(<"$work/compiler")" 2>/dev/null || break
	sleep 0.1
done
output=$(<"$work/said")
check 'a build that is stopped stops its compiler' test ! -e "/proc/$(<"$work/compiler")/status"

# As on a full disk, an image cannot be put into the cache: vmlinux is missing.
sed -i 's/^bzImage: .*/bzImage: ; @mkdir -p arch\/x86\/boot; echo image >arch\/x86\/boot\/bzImage/' "$KERNEL_SRC/Makefile"
call "$run/build-kernel"
check 'an image that cannot be put into the cache' refused "cannot stat 'vmlinux'"
check 'nothing of it is left there' test -z "$(ls "$XDG_CACHE_HOME/initoverlayfs/kernel")"
cd -- "$work"
KERNEL_SRC=source call "$run/build-kernel"
check 'a tree that is named from here is the same all along' refused "cannot stat 'vmlinux'"
cd - >/dev/null
mv "$work/Makefile.kept" "$KERNEL_SRC/Makefile"
