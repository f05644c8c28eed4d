// SPDX-License-Identifier: GPL-2.0-only
import { checkOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import { type BuildOptions, buildLayout } from '../images/build.ts';
import { surprisesOf } from '../trees/surprises.ts';
import { megabytes } from './describe.ts';
import { print } from './print.ts';
import { showProgress } from './progress.ts';
import { readEarly, readTree, readTreeOrCpio } from './source.ts';
import { warnAll } from './warn.ts';

export interface BuildArguments extends Omit<BuildOptions, 'roots' | 'early' | 'extras'> {
  output: string;
  root: string[];
  early?: string;
  extra: string[];
}

export async function build({ output, root, early, extra, ...options }: BuildArguments): Promise<void> {
  await checkOutput(output, [...root, ...extra, ...(early === undefined ? [] : [early])]);
  await withWork(async (work) => {
    const step = showProgress();
    const roots = await step('Reading the root', () => Promise.all(root.map((path) => readTree(path, work))));
    for (const [index, tree] of roots.entries()) warnAll(root[index] ?? '', surprisesOf(tree));
    const extras = await Promise.all(extra.map((path) => readTreeOrCpio(path, work)));
    const front = early === undefined ? {} : { early: await readEarly(early, work) };
    const { layout, warnings } = await buildLayout({ ...options, roots, extras, ...front }, work, step);
    await step(`Writing ${output}`, () => writeOutput(output, layout.chunks()));
    warnAll(output, warnings);
    print(`${output}: ${megabytes(layout.size)}\n`, output);
  });
}
