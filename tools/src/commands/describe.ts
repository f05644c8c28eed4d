// SPDX-License-Identifier: GPL-2.0-only
import type { Distribution } from '../images/distribution.ts';

/** Returns a line for each change in a distribution's tree. */
export function describeChanges({ replaced, changed }: Pick<Distribution, 'replaced' | 'changed'>): string[] {
  return [
    ...replaced.map(
      ({ path, origin }) =>
        `replaced /${path}: that of ${origin} refuses an overlay root, the shim's takes it (--keep-switch-root leaves it)`,
    ),
    ...changed.map(
      (path) => `changed /${path} to execute it by its path: a busybox shell may prefer an applet of its own`,
    ),
  ];
}
