// SPDX-License-Identifier: GPL-2.0-only

/** What the kernel reads from the raw buffer long before it unpacks anything, by these very names. */
const earlyFolders = ['kernel/x86/microcode/', 'kernel/firmware/acpi/'];

/** What else is in such archives: the folders on the way, and dracut's marker. */
const besides = new Set([
  '.',
  'kernel',
  'kernel/x86',
  'kernel/x86/microcode',
  'kernel/firmware',
  'kernel/firmware/acpi',
  'early_cpio',
]);

/** Whether this is early-boot data: a name in one of its folders. */
export function isEarlyName(name: string): boolean {
  return earlyFolders.some((folder) => name.startsWith(folder));
}

/** Whether an archive of these names is for the early boot only, so that the kernel does not unpack it. */
export function isEarlyCpio(names: Iterable<string>): boolean {
  for (const name of names) if (!isEarlyName(name) && !besides.has(name)) return false;
  return true;
}
