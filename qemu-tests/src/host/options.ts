// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { beforeEach } from 'vitest';
import { kernelSource } from './kernels.ts';

/**
 * Returns the lines of a kernel image's configuration: of the file `.config` beside it, else those that
 * CONFIG_IKCONFIG put into it. undefined when there are none of either.
 */
export async function configurationOf(bzImage: string): Promise<string | undefined> {
  const beside = join(dirname(bzImage), '.config');
  if (existsSync(beside)) return readFileSync(beside, 'utf8');
  const script = join(await kernelSource(), 'scripts/extract-ikconfig');
  const { stdout, failed } = await execa(script, [bzImage], { reject: false });
  return failed || stdout === '' ? undefined : stdout;
}

/** Returns those of the options, written without `CONFIG_`, that the configuration has neither built in nor as modules. */
export function lacking(configuration: string, options: readonly string[]): string[] {
  return options.filter((option) => !new RegExp(`^CONFIG_${option}=[ym]$`, 'm').test(configuration));
}

let given: Promise<string | undefined> | undefined;

/**
 * Returns why a test that needs these options has nothing to boot on the kernel of `BZIMAGE`, or undefined. The
 * project's own kernels have all of them, and a kernel that does not tell its configuration is taken to.
 */
export async function optionsMissing(...options: string[]): Promise<string | undefined> {
  if (!process.env.BZIMAGE) return undefined;
  given ??= configurationOf(resolve(process.env.BZIMAGE));
  const configuration = await given;
  const missing = configuration === undefined ? [] : lacking(configuration, options);
  if (missing.length === 0) return undefined;
  return `the kernel of BZIMAGE lacks ${missing.map((option) => `CONFIG_${option}`).join(', ')}`;
}

/** Skips the tests of a file, or of a describe, on a kernel that lacks one of these options. */
export function needs(...options: string[]): void {
  beforeEach(async ({ skip }) => {
    const reason = await optionsMissing(...options);
    skip(reason !== undefined, reason);
  });
}
