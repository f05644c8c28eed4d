# SPDX-License-Identifier: GPL-2.0-only
# Part of selftest, which sources it.
# shellcheck shell=bash disable=SC2154  # variables are set there
: "${work:?is set by kernel-patch/selftest, which runs this}"

# Configurations: a Makefile takes the place of Kconfig and the compiler, and a program that of sparse.
mkdir -p "$work/bin"
printf '#!/bin/sh\n' >"$work/bin/sparse"
chmod +x "$work/bin/sparse"
cat >"$KERNEL_SRC/Makefile" <<'end'
VERSION = 6
PATCHLEVEL = 12
.PHONY: init/ fs/erofs/
allnoconfig allyesconfig:
	@grep -v LOST $(KCONFIG_ALLCONFIG) >$(O)/.config; echo CONFIG_$@=y >>$(O)/.config
vmlinux modules init/ fs/erofs/:
	@echo $@ >>$(O)/made
	@! grep WARNS $(O)/.config || echo 'init/initramfs.c:1:2: warning: odd'
	@! grep BREAKS $(O)/.config || { echo 'init/initramfs.c:3:4: error: bad'; exit 1; }
end
row() {
	printf 'whole A=y B=y\n%s\n' "$1" >"$run/config/combinations"
	PATH=$work/bin:$PATH call "$run/check-configs" "${@:2}"
}
made() { sort -u "$XDG_CACHE_HOME"/initoverlayfs/build/*-configs/x86_64/made | paste -sd' '; }
row 'good x86_64 kernel B=m -> A=y allnoconfig=y'
check 'a configuration that is as the table says' ok
check 'is built with its modules' test "$(made)" = 'modules vmlinux'
row 'good x86_64 files allyesconfig -> A=n allyesconfig=y'
check 'a base that is not allnoconfig' ok
row 'good x86_64 kernel LOST=y ->'
check 'an option that does not survive' refused 'LOST is n, not y'
row 'good x86_64 kernel only A=m -> A=y'
check 'an option that comes out differently' refused 'A is m, not y'
row 'good x86_64 kernel WARNS=y ->'
check 'a warning' refused 'warning: odd'
row 'good x86_64 files BREAKS=y ->'
check 'an error' refused 'error: bad'
row 'good x86_64 nothing ->'
check 'targets that there are not' refused 'want kernel, files or ported'
printf '%s\n' 'config INITOVERLAYFS' '	depends on (X86_64 || ARM64) && MMU' >"$KERNEL_SRC/init/Kconfig"
row 'good x86_64 ported A=y ->'
check 'the files as if no architecture was left out' ok
lifted=$XDG_CACHE_HOME/initoverlayfs/build/*-configs/x86_64-ported/init/Kconfig
# shellcheck disable=SC2086  # a pattern
check 'whose Kconfig names none' grep -qx '	depends on MMU' $lifted
echo 'config OTHER' >"$KERNEL_SRC/init/Kconfig"
row 'good x86_64 ported A=y ->'
check 'a Kconfig that names others' refused 'depends on other architectures'
row 'good x86_64 kernel WARNS=y ->' other
check 'a name that is not in the table' refused 'other'
