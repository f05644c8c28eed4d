// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { access, constants, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { writeOutput } from '@initoverlayfs/tools';
import type { ListrTask } from 'listr2';
import { disk as makeDisk } from '../debian/disk.ts';
import {
  type Distribution,
  distribution,
  distributionPath,
  type Generator,
  plan,
} from '../debian/distribution.ts';
import { asBuilt, converted } from '../debian/initrd.ts';
import { cacheRoot } from '../host/cache.ts';
import { kernel as buildKernel, shim as buildShim } from '../host/kernels.ts';
import { briefly, tasks } from '../host/progress.ts';
import { type Row, reportSchema, reportTable } from './demo-report.ts';
import { measure } from './demo-row.ts';
import { type FlatRow, flat, flatTable } from './flat.ts';

const root = resolve(import.meta.dirname, '../../..');
const out = join(root, 'build/demo');
const generators: readonly Generator[] = ['dracut', 'initramfs-tools'];

function say(text: string): void {
  process.stderr.write(`demo: ${text}\n`);
}

/** An initramfs to compare, by the name it has in the table. */
interface Original {
  readonly image: string;
  readonly initrd: string;
}

/** Before minutes are spent on a kernel. */
async function checkReadable(initrd: string): Promise<void> {
  await access(initrd, constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    const problem =
      error.code === 'EACCES' ? 'only root may read it; copy it with sudo and name the copy' : 'no such file';
    throw new Error(`INITRD=${initrd}: ${problem}`);
  });
}

async function announce(plans: readonly { generator: Generator; path: string }[]): Promise<void> {
  const kernels = await readdir(join(cacheRoot(), 'kernel')).catch(() => []);
  if (kernels.length === 0) {
    say(
      'to be made once: Linux 6.12 with the series; downloads 150 MB of source, builds for about 8 minutes',
    );
  }
  for (const { generator } of plans.filter(({ path }) => !existsSync(path))) {
    say(
      `to be made once: a Debian with ${generator}; downloads about 90 MB of packages, takes 1 to 2 minutes`,
    );
  }
  say('to be booted: each initramfs as built and converted, with and without a disk; about 3 minutes');
}

/** What the path of the kernel ends with beside the path of today. */
function memoryLine(rows: readonly Row[]): string {
  const differences = [...new Set(rows.map(({ image }) => image))].map((image) => {
    const [cpio = Number.NaN, kernel = Number.NaN] = (['cpio', 'kernel'] as const).map(
      (path) => rows.find((row) => row.image === image && row.path === path)?.memAfterSwitchRootKiB,
    );
    return `${image} ${((kernel - cpio) / 1024).toFixed(2)} MiB`;
  });
  return `After switch-root, kernel over cpio: ${differences.join(', ')} (to reach: within 1)`;
}

async function main(): Promise<void> {
  const own = process.env.INITRD;
  if (own) await checkReadable(own);

  // The root on the disk is the Debian of the first, whatever initramfs is booted.
  const plans = await Promise.all((own ? generators.slice(0, 1) : generators).map(plan));
  await announce(plans.map((each) => ({ generator: each.generator, path: distributionPath(each) })));

  // These two show their own progress.
  const kernel = await buildKernel();
  const shim = await buildShim();

  const made = new Map<Generator, Distribution>();
  const originals: Original[] = own
    ? [{ image: basename(own).replaceAll(/[^\w.-]+/g, '-'), initrd: resolve(own) }]
    : [];
  const candidates: Parameters<typeof measure>[0][] = [];
  const rows: Row[] = [];
  const notes: string[] = [];
  const handedOver: string[] = [];
  let flatRows: FlatRow[] = [];
  let disk = '';
  await mkdir(out, { recursive: true });

  await tasks([
    ...plans.map(
      (each): ListrTask => ({
        title: `Debian ${each.archives.codename} with ${each.generator}`,
        task: async (_, task) => {
          const result = await distribution(each, (text) => {
            task.output = text;
          });
          made.set(each.generator, result);
          if (!own) originals.push({ image: each.generator, initrd: result.initrd });
        },
      }),
    ),
    {
      title: 'Root on an ext4 disk',
      task: async () => {
        const first = plans[0];
        const result = first && made.get(first.generator);
        if (first === undefined || result === undefined) throw new Error('no Debian for the disk');
        disk = await makeDisk(result.root, first.inputs);
      },
    },
    {
      title: 'Combined initrds: early cpio if there is one, EROFS image, extra cpio',
      task: async (_, task) => {
        for (const { image, initrd } of originals) {
          task.output = `convert ${image}`;
          const cpio = join(out, `${image}-cpio.img`);
          const combined = join(out, `${image}-kernel.img`);
          await writeFile(cpio, await asBuilt(initrd));
          const { image: bytes, replaced } = await converted(initrd, shim);
          await writeFile(combined, bytes);
          notes.push(
            ...replaced.map(
              ({ path, origin }) =>
                `${image}: /${path} is the shim's switch_root: that of ${origin} refuses an overlay as its root.`,
            ),
          );
          candidates.push(
            { path: 'cpio', image, kernel, initrd: cpio, disk },
            { path: 'kernel', image, kernel, initrd: combined, disk },
          );
        }
      },
    },
    {
      title: 'Boots to multi-user',
      task: (_, task) =>
        task.newListr(
          briefly(
            candidates.map((candidate) => ({
              title: `${candidate.image}, ${candidate.path}`,
              task: async () => {
                const { row, credentials } = await measure(candidate);
                rows.push(row);
                if (credentials.length > 0) handedOver.push(`${row.image} (${row.path})`);
              },
            })),
          ),
        ),
    },
    {
      title: 'Boots of synthetic images',
      task: async (_, task) => {
        flatRows = await flat(kernel, (text) => {
          task.output = text;
        });
      },
    },
  ]).run();

  const report = reportSchema.parse({ rows });
  const file = join(out, 'report.json');
  await writeOutput(file, Buffer.from(`${JSON.stringify(report, null, 2)}\n`));

  process.stdout.write(
    [
      'One processor, 1 GiB, QEMU counting instructions: seconds of the guest, the same on any host; cache',
      'misses do not show. Available memory in MiB, in the initrd and in the final root, each after 8 idle',
      "seconds, caches dropped, pages in per-CPU lists counted. Debian's modules are not this kernel's and",
      'stay unloaded. Up to the end of the initrd the figures are from a boot without a disk.',
      '',
      reportTable(report),
      ...notes,
      memoryLine(report.rows),
      `The extra cpio's credential in the final root: ${handedOver.join(', ') || 'nowhere'}`,
      '',
      flatTable(flatRows),
      `Also in ${relative(process.cwd(), file)}.`,
      '',
    ].join('\n'),
  );
}

try {
  await main();
} catch (error) {
  const whole = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  process.stderr.write(`${whole instanceof Error ? whole.message : String(whole)}\n`);
  process.exitCode = 1;
}
