// SPDX-License-Identifier: GPL-2.0-only

import { checkOutput, writeOutput } from '../host/output.ts';
import { type BuildOptions, buildInitrd } from '../images/build.ts';
import { showProgress } from './progress.ts';
import { readEarly, readTree, readTreeOrCpio } from './source.ts';
import { warn } from './warn.ts';

export interface BuildArguments extends Omit<BuildOptions, 'roots' | 'early' | 'extras'> {
  output: string;
  root: string[];
  early?: string;
  extra: string[];
}

export async function build({ output, root, early, extra, ...options }: BuildArguments): Promise<void> {
  await checkOutput(output, [...root, ...extra, ...(early === undefined ? [] : [early])]);
  const step = showProgress();
  const image = await buildInitrd(
    {
      ...options,
      roots: await step('Reading the root', () => Promise.all(root.map((path) => readTree(path, warn)))),
      extras: await Promise.all(extra.map((path) => readTreeOrCpio(path, warn))),
      ...(early === undefined ? {} : { early: await readEarly(early) }),
    },
    step,
  );
  await step(`Writing ${output}`, () => writeOutput(output, image));
  process.stdout.write(`${output}: ${(image.length / 1e6).toFixed(1)} MB\n`);
}
