// SPDX-License-Identifier: GPL-2.0-only
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first: begun last, one of them runs alone at the end for minutes. */
const long = [
  'replay.debug.ts',
  'sanitizers.debug.ts',
  'holders.test.ts',
  'oldpath.test.ts',
  'failure.test.ts',
  'whole-system.test.ts',
  'forms.boot.test.ts',
  'pressure.test.ts',
  'archive.test.ts',
  'segments.test.ts',
  'content.test.ts',
  'archive-refused.test.ts',
  'profile.test.ts',
  'fallback.test.ts',
  'extras.test.ts',
  'plain.test.ts',
  'machine.boot.test.ts',
  'damage.test.ts',
  'kdump.boot.test.ts',
  'accounted.test.ts',
  'bounds.test.ts',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const index = long.findIndex((name) => moduleId.endsWith(`/${name}`));
  return index < 0 ? long.length : index;
};

/** Runs the long files first, and the others in the runner's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
