// SPDX-License-Identifier: GPL-2.0-only

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { agent, kernel } from '../host/kernels.ts';
import { plainImage } from '../images/initrd.ts';
import { hostFrom } from './qemu.ts';
import { everyWay, type Step, type StepName, ways } from './steps.ts';
import { BootFailure, trial } from './trial.ts';
import { type Boot, killForgotten, Vm, type VmOptions } from './vm.ts';

// Every way for a boot to go wrong, each with a boot that does.

let machine: { kernel: string; initrd: string };

beforeAll(async () => {
  machine = { kernel: await kernel('stock'), initrd: await plainImage() };
});

function start(name: string, steps: readonly Step[], more: Partial<VmOptions> = {}): Vm {
  return Vm.start({ ...machine, name: `vm ${name}`, steps, ...more });
}

function ends(name: string, steps: readonly Step[], more: Partial<VmOptions> = {}): Promise<Boot> {
  return start(name, steps, more).wait();
}

test('a guest that reports and leaves passes', async () => {
  const boot = await ends('pass', [['pid1']]);
  expect(boot.outcome).toEqual({ kind: 'passed', reason: '1 steps reported' });
  expect(boot.console).toMatch(/Run \/init as init process\r\n/);
  expect(boot.verdict.steps[0]?.rows).toContainEqual({ arg: '/init' });
});

test('a walk with a bound reads no more than that of a file', async () => {
  const most = 100_000;
  const init = readFileSync(await agent());
  const walk = (...words: (string | number)[]): Step => ['walk', '/init', everyWay, ...words];
  const { verdict } = await ends('bound', [walk(most), walk()]);
  const [bounded, whole] = verdict.steps.map(({ rows }) => rows[0] ?? {});
  for (const way of Object.values(ways)) {
    expect(bounded, way).toMatchObject({
      size: init.length,
      [way]: crc32(init.subarray(0, most)).toString(16),
    });
    expect(whole, way).toMatchObject({ [way]: crc32(init).toString(16) });
  }
});

test('a guest that hangs is timed out', async () => {
  const boot = await ends('hang', [['pid1'], ['hang']], { timeoutSeconds: 12 });
  expect(boot.outcome.kind).toBe('timed out');
  expect(boot.verdict.steps[0]?.ended).toBe(true);
  expect(boot.verdict.done).toBe(false);
});

test('a guest whose PID 1 ends has panicked', async () => {
  const boot = await ends('panic', [['exit', 3]]);
  expect(boot.outcome.kind).toBe('panicked');
  expect(boot.outcome.reason).toContain('Attempted to kill init! exitcode=0x00000300');
});

test.each([
  ['warning', 'WARNING:_CPU:_0_PID:_1_at_fs/none.c:1'],
  ['bug', 'BUG:_Bad_page_state_in_process_agent'],
  ['oops', 'Oops:_0000_[#1]'],
])('a guest that reports well after a kernel %s has panicked all the same', async (name, text) => {
  const boot = await ends(`report ${name}`, [['say', text]]);
  expect(boot.verdict.done).toBe(true);
  expect(boot.outcome.kind).toBe('panicked');
  expect(boot.outcome.reason).toContain(text.replaceAll('_', ' '));
});

test('a guest that leaves without a last line is an infrastructure failure', async () => {
  const boot = await ends('vanish', [['pid1'], ['vanish']]);
  expect(boot.outcome).toEqual({
    kind: 'infrastructure',
    reason: 'no verdict: the agent never wrote its last line',
  });
});

test('a step that the agent does not know fails', async () => {
  const fly = 'fly' as string as StepName;
  const boot = await ends('unknown step', [[fly]]);
  expect(boot.outcome).toEqual({
    kind: 'failed',
    reason: 'step 0 (fly): the agent knows no such step',
  });
});

test('no QEMU is an infrastructure failure that names it', async () => {
  const boot = await ends('no qemu', [], { host: { ...hostFrom({}), qemu: '/no/such/qemu' } });
  expect(boot.outcome.kind).toBe('infrastructure');
  expect(boot.outcome.reason).toContain('/no/such/qemu');
});

test('a complaint of QEMU is in the reason', async () => {
  const boot = await ends('no initrd', [], { initrd: '/no/such/initrd' });
  expect(boot.outcome.kind).toBe('infrastructure');
  expect(boot.outcome.reason).toContain('/no/such/initrd');
});

test('a second machine of the same name is refused while the first runs', async () => {
  const vm = start('twice', [['pid1']]);
  expect(() => start('twice', [['pid1']])).toThrow(`process ${process.pid} is booting there`);
  expect((await vm.wait()).outcome.kind).toBe('passed');
  expect((await ends('twice', [['pid1']])).outcome.kind).toBe('passed');
});

test('a machine nobody waits for is killed and named', async () => {
  const vm = start('forgotten', [['hang']]);
  expect(killForgotten()).toEqual(['vm-forgotten']);
  expect((await vm.wait()).outcome.kind).toBe('infrastructure');
});

test('a failed look carries the log, the artefacts and a command that repeats it', async () => {
  const failure = await trial({ ...machine, name: "vm 'failed' look", steps: [['pid1']] }, () => {
    throw new Error('not what was wanted');
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(BootFailure);
  const { message, outcome } = failure as BootFailure;
  expect(outcome).toEqual({ kind: 'failed', reason: 'not what was wanted' });
  expect(message).toContain('Run /init as init process');
  const folder = /--- artefacts: (.*)/.exec(message)?.[1] ?? '';
  expect(existsSync(join(folder, 'console.log'))).toBe(true);

  // The command boots the same again, from the kept copy, and the verdict is the same.
  const command = /--- to repeat: (.*)/.exec(message)?.[1] ?? '';
  expect(command).toContain(join(folder, 'plain.img'));
  await execa('sh', ['-c', command], { stdin: 'ignore' });
  expect(readFileSync(join(folder, 'repeat.jsonl'))).toEqual(readFileSync(join(folder, 'verdict.jsonl')));
});

test('a step that fails and may not makes the boot fail', async () => {
  const options = { ...machine, steps: [['umount', '/mnt'], ['pid1']] } as const;
  await expect(trial({ ...options, name: 'vm failed step' })).rejects.toThrow('step 0 (umount): EINVAL');
  await trial({ ...options, name: 'vm step may fail', mayFail: ['umount'] }, ({ verdict }) =>
    expect(verdict.steps[0].error).toBe('EINVAL'),
  );
});

test('waiting for the console fails when the machine ends first', async () => {
  const vm = start('expect', [
    ['say', 'first'],
    ['say', 'second'],
  ]);
  await vm.expect(/first/);
  await vm.expect(/second/);
  await expect(vm.expect(/third/)).rejects.toThrow('the machine ended before its console showed /third/');
  expect((await vm.wait()).outcome.kind).toBe('passed');
});
