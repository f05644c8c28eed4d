// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { device, directory, file } from '@initoverlayfs/tools';
import { agent, shim } from '../host/kernels.ts';
import { cpio } from './initrd.ts';
import type { Paths } from './tree.ts';

/** What storage-init is told in its file, a line each. */
export type Settings = Readonly<Record<string, string>>;

/** What users have in a mini-initramfs where the kernel has all drivers built in: storage-init as /init and settings. */
export async function miniPaths(settings: Settings | undefined): Promise<Paths> {
  const lines = Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}\n`);
  return {
    init: file(readFileSync(join(await shim(), 'storage-init')), { mode: 0o755 }),
    'dev/console': device('character', 5, 1),
    ...(settings === undefined ? {} : { 'etc/initoverlayfs.conf': file(lines.join('')) }),
  };
}

/** That and the agent, which `fallback=/agent` names where a test wants to know what storage-init leaves behind when it fails. */
export async function mini(settings: Settings | undefined, others: Paths = {}): Promise<Buffer> {
  return cpio({
    ...(await miniPaths(settings)),
    agent: file(readFileSync(await agent()), { mode: 0o755 }),
    mnt: directory(),
    ...others,
  });
}
