// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';
import { command } from './run/command.ts';
import { benchFolder } from './run/run.ts';
import { type Journal, measureTools, sizesOf, toolsMarkdown } from './tools/tools.ts';

/** Sizes of trees in megabytes: those of distributions, of a whole system, and one above the 4 GiB of 32 bits. */
const [sizeList = '100,500,5000', only] = process.argv.slice(2);
const sizes = sizeList.split(',').map(Number);

await command(async () => {
  if (sizes.some((size) => !(size > 0))) throw new Error('name sizes in MB with commas, as in 100,500');
  await mkdir(benchFolder, { recursive: true });
  const kept = join(benchFolder, 'tools.json');
  const journal: Journal = existsSync(kept) ? JSON.parse(await readFile(kept, 'utf8')) : {};
  const save = () => writeOutput(kept, Buffer.from(`${JSON.stringify(journal, undefined, 2)}\n`));
  const rows = await measureTools({ sizes, only, folder: join(benchFolder, 'tools') }, journal, save);
  const file = join(benchFolder, 'tools.md');
  await writeOutput(file, Buffer.from(toolsMarkdown(sizesOf(journal), rows)));
  process.stdout.write(await readFile(file, 'utf8'));
  return true;
});
