# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# Stands in for the kernel's own Makefile: an option without a Kconfig entry is lost, and three packages come out. The
# packages that a real build needs are not asked for.
mkdir -p "$work/bin"
printf '#!/bin/sh\n' | tee "$work"/bin/{dpkg-buildpackage,dpkg-query} >"$work/bin/dh_listpackages"
chmod +x "$work"/bin/*
cp "$KERNEL_SRC/Makefile" "$work/Makefile.kept"
cat >>"$KERNEL_SRC/Makefile" <<'END'
olddefconfig:
	@grep -v "^CONFIG_$(LOST)=" .config >.config.left; mv .config.left .config
bindeb-pkg:
	@test ! -e fail || { echo 'x.c:1: error: no good' >&2; exit 1; }
	@for name in image headers; do cp .config ../linux-$$name-6.12-initoverlayfs_1_amd64.deb; done
	@cp .config ../linux-libc-dev_1_amd64.deb
END
config=$work/config-machine
printf 'CONFIG_X86_64=y\nCONFIG_MINE=m\nCONFIG_DEBUG_INFO_DWARF5=y\n' >"$config"
debs=$work/build/deb
deb() { CONFIG=$config PATH=$work/bin:$PATH call "$run/build-deb"; }

deb
check 'packages are built' ok
check 'the last line is the path of the image' test "${output##*$'\n'}" = "$debs/linux-image-6.12-initoverlayfs_1_amd64.deb"
check 'the headers lie beside it, and nothing else' \
	test "$(ls "$debs" | paste -sd' ')" = 'linux-headers-6.12-initoverlayfs_1_amd64.deb linux-image-6.12-initoverlayfs_1_amd64.deb'
check 'the configuration of the machine stays' grep -q '^CONFIG_MINE=m' "$debs"/linux-image-*
check 'the feature is in it' grep -q '^CONFIG_INITOVERLAYFS=y' "$debs"/linux-image-*
check 'debug information is not' test -z "$(grep DWARF5 "$debs"/linux-image-*)"

touch "$KERNEL_SRC/fail"
deb
check 'a build that fails shows its error' refused 'x.c:1: error: no good'
check 'and leaves the packages of the one before' test -e "$debs/linux-image-6.12-initoverlayfs_1_amd64.deb"
rm "$KERNEL_SRC/fail"
sed -i 's/\$(LOST)/EROFS_FS/' "$KERNEL_SRC/Makefile"
deb
check 'an option that cannot be set' refused 'CONFIG_EROFS_FS=y: cannot be set on top of'
echo 'CONFIG_ARM64=y' >"$config"
deb
check 'a configuration for another architecture' refused 'config-machine: not the configuration of a kernel for x86-64'
config=$work/nowhere
deb
check 'no configuration' refused 'nowhere: no such file'
mv "$work/Makefile.kept" "$KERNEL_SRC/Makefile"
