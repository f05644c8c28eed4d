#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut module: has systemd take the extra archives of an initrd that is mounted in place. In one that is unpacked it
# does nothing.

check() {
	# dracut has a warning for a module that depends on one that cannot be there.
	# shellcheck disable=SC2154  # dracut sets it
	[ -e "${INITOVERLAYFS_ROOT-}/usr/lib/initoverlayfs/initrd-extra-generator" ] && [ -e "$systemdutildir/systemd" ]
}

depends() {
	echo systemd
}

install() {
	inst_multiple cat cp ln mkdir
	# shellcheck disable=SC2154  # dracut sets it
	inst_script /usr/lib/initoverlayfs/initrd-extra-generator \
		"$systemdutildir/system-generators/initrd-extra-generator"
}
