// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';
import type { PlanName, Results } from './model/schema.ts';
import { resultsSchema } from './model/schema.ts';
import { withBlocks } from './report/blocks.ts';
import { charts } from './report/charts/charts.ts';
import { markdown } from './report/markdown.ts';
import { command } from './run/command.ts';
import { benchFolder } from './run/run.ts';

const top = resolve(import.meta.dirname, '../../..');
const folder = join(top, 'docs/results');
const write = (path: string, text: string) => writeOutput(path, Buffer.from(text));

async function parsed(path: string): Promise<Results> {
  return resultsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/**
 * Takes over the results of a plan that `build/bench` has, of the first of these if there are several, writes their text,
 * and returns them.
 */
async function record(
  name: string,
  ...from: (PlanName | `arm64/${PlanName}`)[]
): Promise<Results | undefined> {
  const kept = join(folder, `${name}.json`);
  const plan = from.find((each) => existsSync(join(benchFolder, each, 'results.json')));
  if (plan === undefined && !existsSync(kept)) return undefined;
  const results = await parsed(plan === undefined ? kept : join(benchFolder, plan, 'results.json'));
  await write(kept, `${JSON.stringify(results, null, 2)}\n`);
  await write(join(folder, `${name}.md`), markdown(results));
  process.stderr.write(
    `docs/results/${name}: ${plan === undefined ? 'as it was' : `from build/bench/${plan}`}\n`,
  );
  return results;
}

/** Takes over what `make bench-tools` measured. */
async function recordTools(): Promise<void> {
  const measured = join(benchFolder, 'tools.md');
  if (existsSync(measured)) await write(join(folder, 'tools.md'), await readFile(measured, 'utf8'));
}

await command(async () => {
  await recordTools();
  const full = await record('results', 'full', 'boots');
  const former = await record('6.12');
  const demo = await record('demo', 'demo');
  await record('cost', 'cost');
  await record('profile', 'profile');
  const system = await record('system', 'system');
  await record('system-large', 'system-large');
  await record('one-file', 'one-file');
  const arm64 = await record('arm64', 'arm64/demo-system');
  await record('arm64-boots', 'arm64/boots');
  if (full === undefined || demo === undefined)
    throw new Error('README.md and RFC.md quote a full run and the demo: make bench, make demo');
  // Experiments of the former run that were not repeated keep their pictures.
  for (const results of former ? [former, full] : [full])
    for (const { name, svg } of await charts(results)) await write(join(folder, `${name}.svg`), svg);
  for (const document of ['README.md', 'RFC.md']) {
    const path = join(top, document);
    await write(path, withBlocks(await readFile(path, 'utf8'), { full, demo, system, arm64 }));
  }
  return true;
});
