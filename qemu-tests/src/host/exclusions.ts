// SPDX-License-Identifier: GPL-2.0-only

/** The test files that do not run on arm64, or patterns of them, and why. `arm64.test.ts` skips each with its reason. */
export const leftOutOnArm64: Readonly<Record<string, string>> = {
  'src/**/!(tree).boot.test.ts':
    'it is about machines of x86, or about the comparison, of which tree.boot.test.ts has what is of arm64 there',
  'src/series/builtin.test.ts': 'it builds three more kernels',
  'src/series/crashkernel.test.ts':
    'x86 logs where the initrd lies, right below the region; arm64.test.ts has crashkernel=',
  'src/series/kexec.test.ts': 'CONFIG_KEXEC, which it uses first, is there only with suspend to RAM',
  'src/series/netboot.test.ts': 'its firmware is that of a PC',
  'src/series/whole-system.test.ts':
    'the scripts of its packages would have to run here; make demo ARCH=arm64 boots a whole Debian',
};
