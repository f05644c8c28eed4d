// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { kernel } from '../host/kernels.ts';
import { parseKunit } from '../log/kunit.ts';
import { BootFailure } from '../machine/trial.ts';
import { Vm } from '../machine/vm.ts';

// The kernel's own tests: each case that it reports is a test here. Their names are known only when they have run, so
// the boot comes before the first test and not in it.

const name = 'kunit';
const vm = Vm.start({
  name,
  kernel: await kernel('debug'),
  append: 'kunit.enable=1 kunit_shutdown=reboot',
  timeoutSeconds: 120,
});
const boot = await vm.wait();
const report = parseKunit(boot.console);

test('the kernel boots, tests, and finds no fault in itself', () => {
  if (boot.outcome.kind !== 'passed') throw new BootFailure(name, boot.outcome, boot, vm.keepInputs());
});

test('the report is whole', () => {
  expect(report.problems).toEqual([]);
  expect(report.cases.length).toBeGreaterThan(0);
});

test.each(['initrd_segment', 'initrd_memory'])('%s is in it', (suite) => {
  expect(report.suites).toContain(suite);
});

for (const { path, outcome, comment, diagnostics } of report.cases) {
  test(path.join(' › '), ({ skip }) => {
    skip(outcome === 'skipped', comment);
    expect(outcome, [comment, ...diagnostics].join('\n')).toBe('passed');
  });
}
