// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { device, directory, file } from '@initoverlayfs/tools';
import type { Paths } from '../fixture.ts';
import { cpio } from '../image.ts';
import { agent, shim } from '../inputs.ts';

/** What storage-init is told in its file, a line each. */
export type Settings = Readonly<Record<string, string>>;

/**
 * A mini-initramfs: storage-init as /init, its settings, and the agent, which `fallback=/agent` names where a test
 * wants to know what storage-init leaves behind when it fails.
 */
export async function mini(settings: Settings | undefined, others: Paths = {}): Promise<Buffer> {
  const lines = Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}\n`);
  return cpio({
    init: file(readFileSync(join(await shim(), 'storage-init')), { mode: 0o755 }),
    agent: file(readFileSync(await agent()), { mode: 0o755 }),
    'dev/console': device('character', 5, 1),
    mnt: directory(),
    ...(settings === undefined ? {} : { 'etc/initoverlayfs.conf': file(lines.join('')) }),
    ...others,
  });
}
