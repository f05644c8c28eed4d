// SPDX-License-Identifier: GPL-2.0-only
import { setFlagsFromString } from 'node:v8';
import { displayName } from '../codecs/bytes.ts';
import { Breath } from '../host/breath.ts';
import { exitCode, Failure } from '../host/failure.ts';
import { type Work, withWork } from '../host/work.ts';
import { readContents, readEverything } from '../images/root.ts';
import { findBootConfig } from '../segments/bootconfig.ts';
import { type Content, firstDifference } from '../trees/content.ts';
import { type Difference, diffTrees } from '../trees/diff.ts';
import type { Tree } from '../trees/tree.ts';
import { initrdOf, isFolder, openInput, readProfiles } from './input.ts';
import { base64Of, utf8Of } from './json.ts';
import { showProgress } from './progress.ts';
import { holdsTar, readTar, readTree } from './source.ts';
import { warnAll } from './warn.ts';

export interface DiffArguments {
  json?: boolean;
  limit?: number;
  ukiProfile?: number;
}

type Change = Difference['change'];

/** One side of the comparison: files, and the boot configuration that an initrd may end with. */
interface Side {
  tree: Tree;
  bootConfig?: Buffer;
  isUki?: boolean;
  /** Reads contents of which no more than the digests were kept, by their numbers. */
  readAgain?: (numbers: ReadonlySet<number>) => Promise<Map<number, Content>>;
}

const signs: Record<Change, string> = { added: '+', removed: '-', changed: '~' };

/** Prints what is different in two initrds, folders or tar archives. The exit code tells scripts whether anything is. */
export async function diff(
  a: string,
  b: string,
  { json = false, limit, ukiProfile }: DiffArguments,
): Promise<void> {
  // Two large trees are in memory here. The space for new objects, mostly garbage, would grow by 45 MB beside them.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { differences, bootConfig } = await withWork(async (work) => {
    const step = showProgress();
    const read = (path: string) => step(`Reading ${path}`, () => readAny(path, work, { limit, ukiProfile }));
    const from = await read(a);
    const to = await read(b);
    if (ukiProfile !== undefined && !from.isUki && !to.isUki)
      throw new Failure('usage', 'neither is a unified kernel image; leave out --uki-profile');
    const differences = await step('Comparing', async () => {
      const found = await diffTrees(from.tree, to.tree);
      await locate(found, [from, to]);
      return found;
    });
    return { differences, bootConfig: compareBootConfigs(from, to) };
  });
  if (json) {
    const report = { a, b, differences: differences.map(fieldsOf), ...(bootConfig ? { bootConfig } : {}) };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    const last = bootConfig ? [`${signs[bootConfig]} boot configuration\n`] : [];
    process.stdout.write([...differences.map(describe), ...last].join(''));
  }
  if (differences.length > 0 || bootConfig) process.exitCode = exitCode.answer;
}

/** Notes where contents of one size differ. An initrd in which there are such in archives is read a second time. */
async function locate(differences: Difference[], sides: [Side, Side]): Promise<void> {
  const both = differences.flatMap(({ contents }) => (contents ? [contents] : []));
  const read = async ({ readAgain }: Side, contents: Content[]) => {
    const numbers = new Set(contents.flatMap((content) => numberOf(content) ?? []));
    return numbers.size > 0 ? readAgain?.(numbers) : undefined;
  };
  const [from, to] = sides;
  const olds = await read(
    from,
    both.map(([old]) => old),
  );
  const news = await read(
    to,
    both.map(([, now]) => now),
  );
  const breath = new Breath();
  for (const { aspects, contents } of differences) {
    const aspect = contents && aspects.find(({ name }) => name === 'content');
    if (!aspect) continue;
    const [old, now] = contents;
    const offset = await firstDifference(
      breath,
      olds?.get(numberOf(old) ?? -1) ?? old,
      news?.get(numberOf(now) ?? -1) ?? now,
    );
    if (offset !== undefined) aspect.offset = offset;
  }
}

function numberOf(content: Content): number | undefined {
  return 'number' in content ? content.number : undefined;
}

async function readAny(
  path: string,
  work: Work,
  { limit, ukiProfile }: { limit: number | undefined; ukiProfile: number | undefined },
): Promise<Side> {
  if (await isFolder(path)) return { tree: await readTree(path, work) };
  const opened = await openInput(path, work);
  if (await holdsTar(opened)) return { tree: await readTar(path, opened, work, { limit }) };
  const profiles = readProfiles(path, opened);
  const isUki = profiles !== undefined;
  const { source } = initrdOf(path, opened, profiles, isUki ? ukiProfile : undefined);
  const lines: string[] = [];
  const lost = (line: string) => void lines.push(line);
  const tree = await readEverything(source, work, { limit, lost }).catch((error) => {
    throw error instanceof Failure && error.kind === 'input' ? error.in(path) : error;
  });
  warnAll(path, lines);
  const readAgain = (numbers: ReadonlySet<number>) => readContents(source, work, numbers);
  const { bootConfig } = findBootConfig(source);
  if (bootConfig?.kind !== 'bootconfig') return { tree, isUki, readAgain };
  return { tree, isUki, readAgain, bootConfig: Buffer.from(source.read(bootConfig.offset, bootConfig.size)) };
}

function compareBootConfigs({ bootConfig: from }: Side, { bootConfig: to }: Side): Change | undefined {
  if (from && to) return from.equals(to) ? undefined : 'changed';
  if (from || to) return from ? 'removed' : 'added';
  return undefined;
}

/** Returns what is printed of a difference as JSON. What is undefined is left out. */
function fieldsOf({ path, change, aspects }: Difference) {
  return {
    path: `/${utf8Of(path)}`,
    pathBase64: base64Of(`/${path}`),
    change,
    aspects: aspects.map(({ name, from, to, offset }) => ({
      name,
      from: utf8Of(from),
      fromBase64: base64Of(from),
      to: utf8Of(to),
      toBase64: base64Of(to),
      offset,
    })),
  };
}

function describe({ path, change, aspects }: Difference): string {
  const what = aspects.map(({ name, from, to, offset }) => {
    const where = offset === undefined ? '' : `, first at offset 0x${offset.toString(16)}`;
    return `${name} ${displayName(from)} -> ${displayName(to)}${where}`;
  });
  return `${signs[change]} /${displayName(path)}${what.length > 0 ? `: ${what.join(', ')}` : ''}\n`;
}
