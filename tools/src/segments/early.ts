// SPDX-License-Identifier: GPL-2.0-only

/** What the kernel reads from the raw buffer long before it unpacks anything, and dracut's marker beside it. */
const earlyFolders = ['kernel/x86/microcode', 'kernel/firmware/acpi'];
const earlyMarker = 'early_cpio';

/** Whether an archive of these names holds early-boot data and nothing else. */
export function isEarlyCpio(names: Iterable<string>): boolean {
  let early = false;
  for (const name of names) {
    const path = normal(name);
    if (isEarlyName(path)) early = true;
    else if (path !== '' && !earlyFolders.some((folder) => `${folder}/`.startsWith(`${path}/`))) return false;
  }
  return early;
}

/** Whether this is early-boot data: a file below its folders, or the marker. */
export function isEarlyName(name: string): boolean {
  const path = normal(name);
  return path === earlyMarker || earlyFolders.some((folder) => path.startsWith(`${folder}/`));
}

function normal(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
