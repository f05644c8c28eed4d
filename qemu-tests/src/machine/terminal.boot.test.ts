// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { Terminal } from './terminal.ts';

test('the last byte before the end is never lost', async () => {
  for (let i = 0; i < 20; i++) {
    const terminal = new Terminal(['sh', '-c', 'seq 20000; printf last; exit 7'], '/');
    expect(await terminal.ended).toBe(7);
    expect(terminal.output.replaceAll('\r', '')).toBe(
      `${Array.from({ length: 20000 }, (_, n) => n + 1).join('\n')}\nlast`,
    );
  }
});

test('typed text arrives', async () => {
  const terminal = new Terminal(['sh', '-c', 'read -r line; echo "got $line"'], '/');
  terminal.send('a word\r');
  expect(await terminal.ended).toBe(0);
  expect(terminal.output).toContain('got a word');
});

test('a killed program has no status', async () => {
  const terminal = new Terminal(['sleep', '1000'], '/');
  setTimeout(() => terminal.kill(), 200);
  expect(await terminal.ended).toBeUndefined();
});

test('a program that is not there has the status of a shell', async () => {
  const terminal = new Terminal(['/no/such/program'], '/');
  expect(await terminal.ended).toBe(127);
  expect(terminal.output).toContain('/no/such/program');
});
