// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kernel, kernelSource } from '../host/kernels.ts';
import { parseKunit, skipReason } from '../log/kunit.ts';
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
const { cases, suites, errors, passed, text } = await parseKunit(
  await kernelSource(),
  join(boot.artefacts, 'console.log'),
  join(boot.artefacts, 'kunit.json'),
);

test('the kernel boots, tests, and finds no fault in itself', () => {
  if (boot.outcome.kind !== 'passed') throw new BootFailure(name, boot.outcome, boot, vm.keepInputs());
});

test('kunit.py finds the report of the kernel whole, and no failure in it', () => {
  expect(errors).toEqual([]);
  expect(passed, text).toBe(true);
  expect(cases.length).toBeGreaterThan(0);
});

test('the kernel runs the suite of the series', () => {
  expect(suites).toContain('initoverlayfs');
});

for (const { path, status } of cases) {
  test(path.join(' › '), ({ skip }) => {
    skip(status === 'SKIP', skipReason(boot.log, path.at(-1) ?? ''));
    expect(status, text).toBe('PASS');
  });
}
