# SPDX-License-Identifier: GPL-2.0-only

.PHONY: kernel
export KERNEL_VARIANT KERNEL_SRC KERNEL_PATCHES

kernel:
	@kernel-patch/image
