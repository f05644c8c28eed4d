// SPDX-License-Identifier: GPL-2.0-only
import { expect, test, vi } from 'vitest';
import { missing } from './process.ts';
import { runProgram } from './program.ts';

test.each(['', '\n', 'a\n\n', '\0\xff\r\n'])(
  'a program returns its output byte for byte: %j',
  async (text) => {
    const input = Buffer.from(text, 'latin1');
    expect(Buffer.from(await runProgram('cat', [], { input }))).toEqual(input);
  },
);

test('a program without input reads an empty one', async () => {
  expect(await runProgram('cat', [])).toHaveLength(0);
});

test.each([
  ['missing', 'no-such-program', [], 'missing', /^no-such-program is not installed/],
  ['missing for a shell', 'sh', ['-c', 'no-such-program'], 'missing', /^no-such-program is not installed/],
  [
    'without a library',
    'sh',
    ['-c', `echo 'xz: error while loading shared libraries: liblzma.so.5: cannot open ...' >&2; exit 127`],
    'missing',
    /^sh cannot be started: its library liblzma\.so\.5 is missing or damaged; install/,
  ],
  ['not executable', '/etc/passwd', [], 'program', /^\/etc\/passwd cannot be started \(EACCES\)$/],
  [
    'complaining',
    'sh',
    ['-c', 'echo first >&2; echo second >&2; exit 3'],
    'program',
    /^sh failed \(exit code 3\): first$/,
  ],
  ['silent', 'false', [], 'program', /^false failed \(exit code 1\): it said nothing$/],
  ['killed', 'sh', ['-c', 'kill -9 $$'], 'program', /^sh failed \(SIGKILL\)/],
])('a program that is %s gives a failure with its message', async (_, program, args, kind, message) => {
  await expect(runProgram(program, args)).rejects.toMatchObject({
    kind,
    message: expect.stringMatching(message),
  });
});

test.each([
  ['zstd', 'zstd is not installed; install it'],
  ['getfattr', 'getfattr is not installed; install it, on Debian from the package attr'],
])('a missing %s is named with its package, if that has another name', (program, message) => {
  expect(missing(program)).toMatchObject({ kind: 'missing', message });
});

test('SOURCE_DATE_EPOCH does not reach a program', async () => {
  vi.stubEnv('SOURCE_DATE_EPOCH', '1');
  try {
    expect(Buffer.from(await runProgram('sh', ['-c', 'echo $SOURCE_DATE_EPOCH'])).toString()).toBe('\n');
  } finally {
    vi.unstubAllEnvs();
  }
});
