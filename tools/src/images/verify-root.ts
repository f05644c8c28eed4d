// SPDX-License-Identifier: GPL-2.0-only
import { limitKinds } from '../host/kinds.ts';
import type { Config } from '../kernels/config.ts';
import { describeKeeper, findKeepers } from '../trees/leaving.ts';
import { checkProgram, interpreterOf } from '../trees/runnable.ts';
import { surprisesOf } from '../trees/surprises.ts';
import { describeRefusals } from '../trees/switch-root.ts';
import { lookUp, type Tree, walkTree } from '../trees/tree.ts';
import type { Findings } from './findings.ts';

export interface RootFacts {
  /** Program that the kernel starts. */
  init: string;
  /** True if the root is an overlay over images. */
  inPlace: boolean;
  /** Trees of the images. In the root that they make, the overlay has acted on devices 0:0 and attributes already. */
  layers: Tree[];
  /** Bytes of all images. */
  imageSize: number;
  config?: Config | undefined;
}

/** Checks a root: that init can start, and what behaves differently under an overlay. */
export function checkRoot(
  root: Tree,
  { init, inPlace, layers, imageSize, config }: RootFacts,
  findings: Findings,
): void {
  const { problems, doubts } = checkProgram(root, init);
  for (const problem of problems) findings.add('error', `init cannot start: ${problem}`);
  for (const doubt of doubts) findings.add('warning', doubt);
  if (problems.length === 0)
    findings.add('ok', `${init} can be executed, and its interpreter and libraries are there`);
  if (config && config.get('CONFIG_BINFMT_SCRIPT') !== 'y' && isScript(root, init))
    findings.add('error', `${init} is a script, and the kernel is built without CONFIG_BINFMT_SCRIPT`);
  if (!inPlace) return;
  for (const refusal of describeRefusals(root)) findings.add('error', refusal);
  for (const keeper of findKeepers(root)) findings.add('warning', describeKeeper(keeper, imageSize));
  const needs = new Map(config ? layers.flatMap((layer) => [...xattrNeeds(layer)]) : []);
  for (const [option, name] of needs)
    if (config?.get(option) !== 'y')
      findings.add('warning', `files have ${name}, which a kernel without ${option} does not see`);
  for (const line of limitKinds(new Set(layers.flatMap(surprisesOf)))) findings.add('warning', line);
}

function isScript(root: Tree, path: string): boolean {
  const found = lookUp(root, path);
  return found?.type === 'file' && interpreterOf(found) !== undefined;
}

/** Finds the options that a kernel needs to show extended attributes, each with the name of one. */
function xattrNeeds(root: Tree): Map<string, string> {
  const needed = new Map<string, string>();
  for (const [, { xattrs }] of walkTree(root)) {
    for (const name of xattrs?.keys() ?? []) {
      needed.set('CONFIG_EROFS_FS_XATTR', name);
      if (name.startsWith('security.')) needed.set('CONFIG_EROFS_FS_SECURITY', name);
      if (name.startsWith('system.posix_acl_')) needed.set('CONFIG_EROFS_FS_POSIX_ACL', name);
    }
  }
  return needed;
}
