// SPDX-License-Identifier: GPL-2.0-only
import { directory, type ExtraCompression } from '@initoverlayfs/tools';
import { beforeAll, describe, expect, test } from 'vitest';
import { consoleLines, linesOf } from '../console.ts';
import { differences } from '../expected.ts';
import { bootable, type Paths, realistic } from '../fixture.ts';
import { cpio, early, earlyPaths, initrd } from '../image.ts';
import { type KernelVariant, kernel } from '../inputs.ts';
import { trial } from '../trial.ts';
import type { Boot } from '../vm.ts';

// A plain initramfs: nothing changes, with the series, without it, and with it configured away.

let paths: Paths;

beforeAll(async () => {
  // The kernel makes /root by itself.
  paths = { ...(await bootable()), ...(await realistic()), root: directory({ mode: 0o700 }) };
});

async function boot(variant: KernelVariant, compression: ExtraCompression): Promise<Boot> {
  const name = `plain ${compression}`;
  return trial(
    {
      name: `${name} ${variant}`,
      kernel: await kernel(variant),
      initrd: await initrd(name, [await early(), await cpio(paths, compression)]),
      // Instructions are counted, so that messages cannot change places.
      icount: 'no-sleep',
      steps: [
        ['pid1'],
        ['fds'],
        ['mounts'],
        ['run', '/bin/dash', '/data/script'],
        ['walk', '/', 'rm'],
        ['walk', '/sys/firmware/initrd'],
      ],
      timeoutSeconds: 120,
    },
    ({ verdict, console }) => {
      const [, , , run, walk] = verdict.steps;
      expect(run?.rows).toEqual([{ status: 0, out: 'a shell of the host: 42\n' }]);
      expect(differences(walk?.rows ?? [], { ...paths, ...earlyPaths() }, 'rm')).toEqual([]);
      expect(linesOf(console, 'initoverlayfs')).toEqual([]);
      expect(linesOf(console, 'Freeing initrd memory: ')).toHaveLength(1);
    },
  );
}

/** A log without what differs between builds and runs: stamps, versions, addresses, sizes, durations. */
function comparable(boot: Boot): string[] {
  return consoleLines(boot.console)
    .map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''))
    .filter(
      (line) => !/^Linux version |^Memory: |memory: \d+K|sched_clock|tsc: |clocksource: |BogoMIPS/.test(line),
    )
    .map((line) => line.replaceAll(/0x[0-9a-f]+|\b[0-9a-f]{8,16}\b|\d+/g, '#'));
}

describe.each(['none', 'zstd'] as const)('as %s', (compression) => {
  test('the log and what PID 1 sees are the same on every kernel', async () => {
    const stock = await boot('stock', compression);
    const patched = await boot('patched', compression);
    const off = await boot('off', compression);
    expect(comparable(patched)).toEqual(comparable(stock));
    expect(comparable(off)).toEqual(comparable(stock));
    expect(patched.verdict).toEqual(stock.verdict);
    expect(off.verdict).toEqual(stock.verdict);
  });
});

test.each(['gzip', 'xz', 'lz4'] as const)('as %s it boots as ever', async (compression) => {
  await boot('patched', compression);
});
