// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { archives } from '../../debian/apt.ts';
import { newMkfs } from '../../debian/erofs-utils.ts';
import { unpackedProgram } from '../../debian/unpacked.ts';
import { projectRoot } from '../../host/artefacts.ts';
import { shim } from '../../host/kernels.ts';
import { benchTree } from '../forms/tree.ts';

/** Largest tree of the bench in MB; larger inputs hold copies of it. */
const largestTree = 250;

const usage = join(import.meta.dirname, 'usage.py');
const ownPeak = join(import.meta.dirname, 'own-peak.mjs');

/** Costs of one command. */
interface Taken {
  /** Processor time of all its processes in seconds. */
  seconds: number;
  /** Largest memory of one process, in MB. */
  peak: number;
  /** The same of node alone, where the command is a program for it. */
  ownPeak?: number | undefined;
}

/** One command, beside others that do the same. The first of a task is what the others are compared with. */
export interface ToolRow {
  task: string;
  name: string;
  /** A result for each size, in their order: the first words of a command that failed, or nothing if it was not run. */
  taken: (Taken | string | undefined)[];
}

/** Results by size in MB, task and name. */
export type Journal = Record<string, Record<string, Record<string, Taken | string>>>;

interface Tool {
  task: string;
  name: string;
  /** A script for sh in an empty folder, whose input is $1. */
  script: string;
}

/**
 * Measures commands on initrds whose trees have so many MB (1 000 000 bytes).
 * @param only is the name of the only program to measure.
 * @param journal gets each result when it is there, over an earlier one.
 * @param folder is for the inputs, which stay for the next time.
 */
export async function measureTools(
  { sizes, only, folder }: { sizes: number[]; only: string | undefined; folder: string },
  journal: Journal,
  save: () => Promise<void>,
): Promise<ToolRow[]> {
  const tools = await allTools();
  for (const size of sizes) {
    const input = await makeInput(size, folder);
    for (const tool of tools.filter(({ name }) => only === undefined || name === only)) {
      process.stderr.write(`bench: ${size} MB, ${tool.task}: ${tool.name}\n`);
      const tasks = journal[size] ?? {};
      const names = tasks[tool.task] ?? {};
      journal[size] = tasks;
      tasks[tool.task] = names;
      names[tool.name] = await measure(tool, input, folder);
      await save();
    }
  }
  const known = sizesOf(journal);
  return tools.map(({ task, name }) => ({
    task,
    name,
    taken: known.map((size) => journal[size]?.[task]?.[name]),
  }));
}

/** Returns the sizes in a journal, the smallest first. */
export function sizesOf(journal: Journal): number[] {
  return Object.keys(journal)
    .map(Number)
    .sort((a, b) => a - b);
}

async function allTools(): Promise<Tool[]> {
  const ours = join(projectRoot, 'tools/dist/initoverlayfs.mjs');
  await execa('npm', ['run', 'build', '--workspace', 'tools'], { cwd: projectRoot });
  const { codename } = await archives();
  const threeCpio = await unpackedProgram('forky', '3cpio', 'usr/bin/3cpio');
  const unmkinitramfs = await unpackedProgram(codename, 'initramfs-tools-core', 'usr/bin/unmkinitramfs');
  const beside = join(dirname(unmkinitramfs), 'root/usr/bin');
  const makers = [{ mkfs: 'mkfs.erofs', label: 'the mkfs.erofs of this machine' }];
  const newer = await newMkfs();
  if (newer !== 'mkfs.erofs') makers.push({ mkfs: newer, label: 'mkfs.erofs 1.8' });
  const convert = `convert --shim ${await shim()} -o out`;
  return [
    ...makers.flatMap(({ mkfs, label }) => [
      {
        task: `convert, ${label}`,
        name: 'zstd, cpio, mkfs.erofs',
        script: `mkdir t; zstd -dc "$1.zst" | (cd t; fakeroot -s ../s cpio -i --quiet)
          fakeroot -i s ${mkfs} --quiet -T0 -x-1 -zlz4hc -C4096 out t`,
      },
      {
        task: `convert, ${label}`,
        name: 'initoverlayfs',
        script: `${ours} ${convert} --mkfs ${mkfs} "$1.zst"`,
      },
    ]),
    { task: 'segments of a zstd file', name: '3cpio', script: `${threeCpio} --examine "$1.zst"` },
    { task: 'segments of a zstd file', name: 'initoverlayfs', script: `${ours} inspect "$1.zst"` },
    { task: 'segments of an uncompressed file', name: '3cpio', script: `${threeCpio} --examine "$1"` },
    { task: 'segments of an uncompressed file', name: 'initoverlayfs', script: `${ours} inspect "$1"` },
    { task: 'list', name: 'zstd, cpio', script: 'zstd -dc "$1.zst" | cpio -t --quiet' },
    { task: 'list', name: '3cpio', script: `${threeCpio} --list "$1.zst"` },
    { task: 'list', name: 'lsinitramfs', script: `PATH=${beside}:$PATH lsinitramfs "$1.zst"` },
    { task: 'list', name: 'initoverlayfs', script: `${ours} list "$1.zst"` },
    { task: 'extract', name: 'zstd, cpio', script: 'mkdir t; cd t; zstd -dc "$1.zst" | cpio -i --quiet' },
    { task: 'extract', name: '3cpio', script: `mkdir t; ${threeCpio} --extract -C t "$1.zst"` },
    { task: 'extract', name: 'unmkinitramfs', script: `${unmkinitramfs} "$1.zst" t` },
    { task: 'extract', name: 'initoverlayfs', script: `${ours} extract "$1.zst" -o t` },
  ];
}

/** Makes an archive of so many MB, and the same compressed, unless they are there. Returns the path without `.zst`. */
async function makeInput(size: number, folder: string): Promise<string> {
  const copies = Math.max(1, Math.round(size / largestTree));
  const { archive, sha256 } = await benchTree(Math.round(size / copies));
  const file = join(folder, `${size}-${sha256.slice(0, 8)}.cpio`);
  if (existsSync(`${file}.zst`)) return file;
  const tree = join(folder, 'tree');
  await rm(folder, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  const script = `set -e
    mkdir 1 && cd 1 && cpio -idm --quiet <"$1" && mv init .. && cd ..
    for n in $(seq 2 "$2"); do cp -a 1 $n; done
    find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --quiet >"$3"
    zstd -q -o "$3.zst" "$3"`;
  await execa('sh', ['-c', script, 'sh', archive, String(copies), file], { cwd: tree });
  await rm(tree, { recursive: true });
  return file;
}

async function measure({ script }: Tool, input: string, folder: string): Promise<Taken | string> {
  const place = join(folder, 'run');
  await rm(place, { recursive: true, force: true });
  await mkdir(place);
  await writeFile(join(place, 'script'), script);
  const peaks = join(place, 'peaks');
  await writeFile(peaks, '');
  const { exitCode, stderr, stdio } = await execa('python3', [usage, 'sh', '-e', 'script', input], {
    cwd: place,
    reject: false,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { TMPDIR: place, OWN_PEAK: peaks, NODE_OPTIONS: `--import=${ownPeak}` },
  });
  const [seconds, kilobytes] = String(stdio[3]).split(' ').map(Number);
  const own = Math.max(...(await readFile(peaks, 'utf8')).split('\n').map(Number));
  await rm(place, { recursive: true });
  if (exitCode !== 0) return stderr.split('\n', 1)[0] ?? 'failed';
  const megabytes = (each: number) => (each * 1024) / 1e6;
  return {
    seconds: seconds ?? 0,
    peak: megabytes(kilobytes ?? 0),
    ownPeak: own > 0 ? megabytes(own) : undefined,
  };
}

/** Writes the rows as tables, a task each. */
export function toolsMarkdown(sizes: number[], rows: ToolRow[]): string {
  const heads = sizes.flatMap((size) => [`${size} MB: s`, 'ratio', 'peak MB']);
  const tasks = [...new Set(rows.map(({ task }) => task))];
  const failures = rows.flatMap(({ task, name, taken }) =>
    taken.flatMap((each, index) =>
      typeof each === 'string' ? [`- ${name} (${task}) of ${sizes[index]} MB failed: ${each}`] : [],
    ),
  );
  const tables = tasks.flatMap((task) => {
    const own = rows.filter((row) => row.task === task);
    const lines = own.map(({ name, taken }) => {
      const cells = taken.flatMap((each, index) => cellsOf(each, own[0]?.taken[index]));
      return `| ${[name, ...cells].join(' | ')} |`;
    });
    return [
      `## ${task.charAt(0).toUpperCase()}${task.slice(1)}`,
      '',
      `| | ${heads.join(' | ')} |`,
      `|---|${heads.map(() => '---:|').join('')}`,
      ...lines,
      '',
    ];
  });
  return [
    '# The tools beside others',
    '',
    '`make bench-tools` measures this: processor time of all processes of a command in seconds, its ratio to the first row,',
    'and the largest memory of one process; in parentheses, if it is less, that of initoverlayfs without the programs that',
    'it runs. A first row under 0.05 s gives no ratio. The trees are those of the bench, above 250 MB in several copies.',
    'initoverlayfs is JavaScript, whose start takes 0.1 s of it. What is empty was not measured.',
    '',
    ...tables,
    ...failures,
    ...(failures.length > 0 ? [''] : []),
  ].join('\n');
}

function cellsOf(taken: Taken | string | undefined, first: Taken | string | undefined): string[] {
  if (taken === undefined) return ['', '', ''];
  if (typeof taken === 'string') return ['failed', '', ''];
  const ratio =
    typeof first === 'object' && first.seconds > 0.05 ? (taken.seconds / first.seconds).toFixed(2) : '';
  const own = taken.ownPeak?.toFixed(0) ?? '';
  const peak = taken.peak.toFixed(0);
  return [taken.seconds.toFixed(2), ratio, own === '' || own === peak ? peak : `${peak} (${own})`];
}
