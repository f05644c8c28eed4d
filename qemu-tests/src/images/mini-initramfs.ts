// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { device, directory, file } from '@initoverlayfs/tools';
import { agent, shim } from '../host/kernels.ts';
import { cpio } from './initrd.ts';
import type { Paths } from './tree.ts';

/** The settings in the file of storage-init, a line each. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Returns the paths of a mini-initramfs for a kernel with all drivers built in: storage-init as /init, and settings.
 */
export async function miniPaths(settings: Settings | undefined): Promise<Paths> {
  const lines = Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}\n`);
  return {
    init: file(readFileSync(join(await shim(), 'storage-init')), { mode: 0o755 }),
    'dev/console': device('character', 5, 1),
    ...(settings === undefined ? {} : { 'etc/initoverlayfs.conf': file(lines.join('')) }),
  };
}

/**
 * Makes a mini-initramfs that has the agent, too. `fallback=/agent` shows a test the state in which a storage-init
 * that fails leaves the machine.
 */
export async function mini(settings: Settings | undefined, others: Paths = {}): Promise<Buffer> {
  return cpio({
    ...(await miniPaths(settings)),
    agent: file(readFileSync(await agent()), { mode: 0o755 }),
    mnt: directory(),
    ...others,
  });
}
