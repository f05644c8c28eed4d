// SPDX-License-Identifier: GPL-2.0-only
import type { Config } from '../kernels/config.ts';
import { describeKeeper, findLeavers } from '../trees/leaving.ts';
import { checkProgram } from '../trees/runnable.ts';
import { surprisesOf } from '../trees/surprises.ts';
import { describeRefusals } from '../trees/switch-root.ts';
import type { Tree } from '../trees/tree.ts';
import type { Findings } from './findings.ts';

export interface RootFacts {
  /** Program that the kernel starts. */
  init: string;
  /** True if the root is an overlay over images. */
  inPlace: boolean;
  /** Bytes of all images. */
  imageSize: number;
  config?: Config | undefined;
}

/** Warnings of one kind that are given in full. */
const limit = 10;

/** Checks a root: that init can start, and what behaves differently under an overlay. */
export function checkRoot(root: Tree, { init, inPlace, imageSize }: RootFacts, findings: Findings): void {
  const { problems, doubts } = checkProgram(root, init);
  for (const problem of problems) findings.add('error', `init cannot start: ${problem}`);
  for (const doubt of doubts) findings.add('warning', doubt);
  if (problems.length === 0)
    findings.add('ok', `${init} can be executed, and its interpreter and libraries are there`);
  if (!inPlace) return;
  for (const refusal of describeRefusals(root)) findings.add('error', refusal);
  for (const leaver of findLeavers(root))
    if (leaver.verdict === 'keeps') findings.add('warning', describeKeeper(leaver, imageSize));
  const surprises = surprisesOf(root);
  for (const surprise of surprises.slice(0, limit)) findings.add('warning', surprise);
  if (surprises.length > limit) findings.add('warning', `${surprises.length - limit} more files like these`);
}
