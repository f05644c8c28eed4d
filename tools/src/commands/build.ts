// SPDX-License-Identifier: GPL-2.0-only
import { megabytes } from '../codecs/bytes.ts';
import { Failure, inFile } from '../host/failure.ts';
import { checkOutput, writeOutput } from '../host/output.ts';
import { withWork } from '../host/work.ts';
import { type BuildOptions, buildLayout } from '../images/build.ts';
import { checkSizes } from '../images/erofs.ts';
import { describeStack } from '../trees/over-symlink.ts';
import { surprisesOf } from '../trees/surprises.ts';
import type { Tree } from '../trees/tree.ts';
import { selectXattrs, type XattrChoice } from '../trees/xattrs.ts';
import { timesFor } from './arguments.ts';
import { onOneLine, print } from './print.ts';
import { readProfile } from './profile-file.ts';
import { showProgress } from './progress.ts';
import { readEarly, readExtra, readTree } from './source.ts';
import { warnAll } from './warn.ts';

export interface BuildArguments
  extends Omit<BuildOptions, 'roots' | 'early' | 'extras' | 'profile' | 'times'> {
  output: string;
  root: string[];
  early?: string;
  extra: string[];
  /** Path of the profile. */
  profile?: string;
  xattrs: XattrChoice;
  keepTimes?: boolean;
  limit?: number;
}

export async function build({
  output,
  root,
  early,
  extra,
  profile,
  xattrs,
  keepTimes = false,
  limit,
  ...options
}: BuildArguments): Promise<void> {
  const times = timesFor(keepTimes);
  if (options.uuid !== undefined && root.length > 1)
    throw new Failure(
      'usage',
      '--uuid is for one --root, since no two images may have the same; leave it out',
    );
  const named = [early, profile].filter((path) => path !== undefined);
  await checkOutput(output, [...root, ...extra, ...named]);
  await withWork(async (work) => {
    const step = showProgress();
    const wanted = { xattrs: xattrs !== 'none', limit, links: new Map() };
    const roots: Tree[] = [];
    // One after the other, since a file may have names in several.
    const read = async () => {
      for (const path of root) {
        const tree = await readTree(path, work, { ...wanted, earlier: roots });
        // Later, it would not be known which root has the file.
        try {
          checkSizes(tree);
        } catch (error) {
          throw inFile(error, path);
        }
        roots.push(tree);
      }
    };
    await step('Reading the root', read);
    const hidden = roots.length > 1 ? describeStack(roots, { areImages: profile === undefined }) : [];
    for (const [index, tree] of roots.entries())
      warnAll(root[index] ?? '', [
        ...selectXattrs(tree, xattrs),
        ...surprisesOf(tree),
        ...(hidden[index] ?? []),
      ]);
    const extras = await Promise.all(extra.map((path) => readExtra(path, work, limit)));
    const front = early === undefined ? {} : { early: await readEarly(early, work, limit) };
    const chosen = profile === undefined ? {} : { profile: await readProfile(profile) };
    const given = { ...options, ...times, roots, extras, ...front, ...chosen };
    const { layout, warnings } = await buildLayout(given, work, step);
    const inputs = [...root, ...extra, ...named];
    await step(`Writing ${output}`, () => writeOutput(output, layout.chunks(), { inputs }));
    warnAll(output, warnings);
    print(`${onOneLine(output)}: ${megabytes(layout.size)}\n`, output);
  });
}
