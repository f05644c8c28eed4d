// SPDX-License-Identifier: GPL-2.0-only
import { file } from '@initoverlayfs/tools';
import { beforeAll, expect, test } from 'vitest';
import { extraVariables, listenVariables } from '../expect/pid1.ts';
import { architecture } from '../host/architecture.ts';
import { kernel } from '../host/kernels.ts';
import { needs } from '../host/options.ts';
import { onDebug } from '../host/variant.ts';
import { cpio, erofs, initrd } from '../images/initrd.ts';
import { bootable } from '../images/tree.ts';
import { seriesLog } from '../log/series-log.ts';
import { trial } from '../machine/trial.ts';
import { rowsOf } from '../machine/verdict.ts';
import { Vm } from '../machine/vm.ts';

needs('INITOVERLAYFS', 'TMPFS_XATTR');

// The environment of init has room for 31 words of the command line, and what tells of the extra files needs three.

let path: string;

beforeAll(async () => {
  const image = await erofs(await bootable());
  path = await initrd('environment', [image, await cpio({ extra: file('x') })]);
});

const words = (count: number) => Array.from({ length: count }, (_, n) => `w${n}=${n}`);

// What would be written after the end of the environment is a NULL, which nothing but a sanitizer has to notice.
test.each([0, 27, 28, 29, 30, 31])(
  'init gets all of the variables or none beside %i words',
  async (count) => {
    const passed = count <= 28;
    await trial(
      {
        name: `environment ${count}`,
        kernel: await kernel(),
        initrd: path,
        append: words(count).join(' '),
        steps: [['pid1'], ['fds']],
      },
      ({ verdict, log }) => {
        const env = rowsOf(verdict, 'pid1').flatMap((row) => row.env ?? []);
        expect(env).toEqual(['HOME=/', 'TERM=linux', ...words(count), ...(passed ? extraVariables : [])]);
        expect(verdict.steps[1].rows).toHaveLength(passed ? 4 : 3);
        const { lines } = seriesLog(log);
        expect(lines.filter((line) => line.startsWith('cannot pass the extra files'))).toHaveLength(
          passed ? 0 : 1,
        );
      },
    );
  },
);

test.each([
  ['with the series', undefined],
  ['without it', 'stock'],
] as const)('the kernel panics beside 32 words, %s', async (name, variant) => {
  const vm = Vm.start({
    name: `environment 32 ${name}`,
    kernel: await kernel(variant),
    initrd: path,
    // The console of arm64 comes after the panic.
    append: `${words(32).join(' ')}${architecture === 'arm64' ? ' earlycon' : ''}`,
    steps: [['pid1']],
  });
  const { outcome, verdict } = await vm.wait();
  // It is the first fault that the kernel reports of itself, before it knows of an image.
  expect(outcome).toEqual({
    kind: 'panicked',
    reason: expect.stringMatching(/ Kernel panic - not syncing: Too many boot env vars at `w31=31'$/),
  });
  expect(verdict.steps).toEqual([]);
});

test('variables of the command line with the same names give way', async ({ skip }) => {
  skip(onDebug, 'what is replaced takes the room that it had');
  await trial(
    {
      name: 'environment same names',
      kernel: await kernel(),
      initrd: path,
      append: `${words(28).join(' ')} LISTEN_FDS=7 LISTEN_PID=9 LISTEN_FDNAMES=x`,
      steps: [['pid1'], ['fds']],
    },
    ({ verdict }) => {
      const env = rowsOf(verdict, 'pid1').flatMap((row) => row.env ?? []);
      expect(env.slice(-3)).toEqual(extraVariables);
      expect(listenVariables({ verdict })).toHaveLength(3);
      expect(verdict.steps[1].rows).toHaveLength(4);
    },
  );
});
