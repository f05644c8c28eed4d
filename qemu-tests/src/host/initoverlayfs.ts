// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { execa } from 'execa';
import { projectRoot } from './artefacts.ts';

/**
 * Runs `initoverlayfs` from the source. Throws an Error with what it said when it fails. npx would add what npm has to
 * say of its own configuration.
 */
export async function initoverlayfs(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const program = join(projectRoot, 'tools/src/initoverlayfs.ts');
  return execa(process.execPath, ['--import', 'tsx', program, ...args], { cwd: projectRoot });
}
