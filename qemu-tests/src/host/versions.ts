// SPDX-License-Identifier: GPL-2.0-only

import { execa } from 'execa';
import { withSbin } from './path.ts';

const versions = new Map<string, Promise<string>>();

/**
 * Returns the first line that gzip, lz4, mke2fs, mkfs.erofs, xz or zstd prints about its version, or QEMU with
 * `--version`. Throws an Error when there is no such program.
 */
export function versionOf(program: string, option = '-V'): Promise<string> {
  let version = versions.get(program);
  if (version === undefined) {
    version = ask(program, option);
    versions.set(program, version);
  }
  return version;
}

async function ask(program: string, option: string): Promise<string> {
  // mkfs.erofs 1.5 prints its version and then complains of the option; mke2fs prints it on stderr.
  const { stdout, stderr, exitCode } = await execa(program, [option], { env: withSbin, reject: false });
  if (exitCode === undefined) throw new Error(`${program} is not installed; make deps installs it`);
  return (stdout || stderr || '').trim().split('\n', 1)[0] ?? '';
}
