// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { type Gap, initrd } from '../images/initrd.ts';
import { groupsOf } from '../log/record.ts';
import { Vm } from '../machine/vm.ts';

/** Boots the parts with initoverlayfs=require, expects a panic, and returns the reason that the kernel gives. */
export async function panicReason(
  name: string,
  parts: readonly (Buffer | Gap)[],
  append = '',
): Promise<string> {
  const vm = Vm.start({
    name,
    kernel: await kernel(),
    initrd: parts.length === 0 ? undefined : await initrd(name, parts),
    append: `initoverlayfs=require ${append}`,
    steps: [['cat', '/from']],
  });
  const { log, outcome, verdict } = await vm.wait();
  expect(outcome.kind).toBe('panicked');
  expect(verdict.steps).toEqual([]);
  const [reason] = groupsOf(log, /^Kernel panic - not syncing: initoverlayfs=require: (.*)/);
  return (
    reason ??
    log
      .slice(-5)
      .map(({ text }) => text)
      .join('\n')
  );
}
