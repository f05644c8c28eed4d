// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place, removePlace } from './fixtures/command.ts';
import { bundle } from './packaging/bundle.ts';

let place: Place;
beforeAll(async () => {
  place = await makePlace();
});
afterAll(() => removePlace(place));

const commands: [string, () => string[]][] = [
  ['list', () => ['list', place.input]],
  ['list --json', () => ['list', '--json', place.input]],
  ['inspect', () => ['inspect', place.input]],
  ['verify', () => ['verify', place.input]],
  ['diff', () => ['diff', place.input, `${place.folder}/empty`]],
  ['cat', () => ['cat', place.input, 'etc/owned']],
  ['--help', () => ['--help']],
];

describe.each(commands)('%s', (_, args) => {
  test('on a full disk is a failure of the output', async () => {
    const script = 'full=$1; shift; exec "$@" >"$full"';
    const command = [place.full.path, 'node', bundle, ...args()];
    const { exitCode, stderr } = await execa('sh', ['-c', script, 'sh', ...command], { reject: false });
    expect([exitCode, stderr]).toEqual([
      4,
      'initoverlayfs: standard output: no space left; free some or name a file elsewhere',
    ]);
  });

  test('whose reader has gone ends as with SIGPIPE', async () => {
    const script = '"$@" | true; echo $PIPESTATUS';
    const { stdout, stderr } = await execa('bash', ['-c', script, 'bash', 'node', bundle, ...args()]);
    expect([stdout, stderr]).toEqual(['141', '']);
  });
});
