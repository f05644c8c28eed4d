# SPDX-License-Identifier: GPL-2.0-only

.PHONY: kernel kernel-edit kernel-refresh kernel-check
export KERNEL_VARIANT KERNEL_SRC KERNEL_PATCHES

kernel:
	@kernel-patch/image

kernel-edit:
	@kernel-patch/series edit

kernel-refresh:
	@kernel-patch/series refresh
