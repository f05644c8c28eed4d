// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { execa } from 'execa';
import { projectRoot } from './artefacts.ts';

/** Runs `initoverlayfs` from the source. Throws an Error with what it said when it fails. */
export async function initoverlayfs(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const program = join(projectRoot, 'tools/src/initoverlayfs.ts');
  return execa('npx', ['--no', 'tsx', program, ...args], { cwd: projectRoot });
}
