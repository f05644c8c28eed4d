// SPDX-License-Identifier: GPL-2.0-only
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import expected from '../must-fail/expected.json' with { type: 'json' };
import { makePlace, type Place, removePlace, run } from './fixtures/command.ts';
import { packageFolder as tools } from './packaging/bundle.ts';

let place: Place;
let folder: string;
beforeAll(async () => {
  place = await makePlace();
  ({ folder } = place);
});
afterAll(() => removePlace(place));

describe('bad input', () => {
  test('every bad input has an expected message, and every message its input', async () => {
    const files = await readdir(join(tools, 'must-fail'));
    const images = files.filter((name) => name.endsWith('.img')).map((name) => basename(name, '.img'));
    expect(images.sort()).toEqual(Object.keys(expected).sort());
  });

  test.concurrent.each(Object.entries(expected))(
    '%s.img is refused by convert with its message and exit code',
    async (name, { exitCode, message }) => {
      const image = `must-fail/${name}.img`;
      const output = join(folder, `${name}.out`);
      expect(await run('convert', image, '-o', output)).toEqual({
        exitCode,
        stdout: '',
        stderr: `initoverlayfs: ${image}: ${message}\n`,
      });
      expect(await readdir(folder)).not.toContainEqual(expect.stringContaining(`${name}.out`));
    },
  );
});
