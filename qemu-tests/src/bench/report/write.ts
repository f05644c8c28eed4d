// SPDX-License-Identifier: GPL-2.0-only
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';
import type { Results } from '../model/schema.ts';
import { charts } from './charts/charts.ts';
import { html } from './html.ts';
import { markdown } from './markdown.ts';

/** Writes the results and what is made from them into a folder, each file whole or not at all. */
export async function writeReport(folder: string, results: Results): Promise<void> {
  const file = (name: string, content: string) => writeOutput(join(folder, name), Buffer.from(content));
  const pictures = await charts(results);
  await mkdir(folder, { recursive: true });
  await file('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await file('results.md', markdown(results));
  for (const { name, svg } of pictures) await file(`${name}.svg`, svg);
  await file('report.html', html(results, pictures));
}
