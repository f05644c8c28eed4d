// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';
import { command } from './run/command.ts';
import { benchFolder } from './run/run.ts';
import { measureTools, toolsMarkdown } from './tools/tools.ts';

/** Sizes of trees in megabytes: those of distributions, of a whole system, and one above the 4 GiB of 32 bits. */
const sizes = (process.argv[2] ?? '100,500,5000').split(',').map(Number);

await command(async () => {
  if (sizes.some((size) => !(size > 0))) throw new Error('name sizes in MB with commas, as in 100,500');
  const file = join(benchFolder, 'tools.md');
  const rows = await measureTools(sizes, join(benchFolder, 'tools'));
  await writeOutput(file, Buffer.from(toolsMarkdown(sizes, rows)));
  process.stdout.write(await readFile(file, 'utf8'));
  return true;
});
