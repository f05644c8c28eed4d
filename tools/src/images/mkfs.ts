// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../host/failure.ts';
import { isRefusal, runProcess } from '../host/process.ts';
import { withWork } from '../host/work.ts';

/** Oldest mkfs.erofs whose solid images are right: 1.7 cannot write zstd, and 1.5 of Debian 12 only lz4. */
const oldest = { major: 1, minor: 8 };

/**
 * Checks that a mkfs.erofs can make solid images with these compressions.
 * @throws Failure (usage) that says what is needed, (missing) when it is not installed.
 */
export async function checkMkfs(mkfs: string, compressions: string[]): Promise<void> {
  const { version, compressors } = await answerOf(mkfs);
  const wanted = `--profile needs erofs-utils ${oldest.major}.${oldest.minor} or later with ${compressions.join(' and ')}`;
  const advice = 'Debian 13 has it in the package erofs-utils; name another mkfs.erofs with --mkfs';
  const [major, minor] = version?.split('.') ?? [];
  if (version === undefined)
    throw new Failure('usage', `${wanted}, and ${mkfs} does not tell its version; ${advice}`);
  if (Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor))
    throw new Failure('usage', `${wanted}, and ${mkfs} is ${version}; ${advice}`);
  const missing = compressions.filter((name) => !compressors.includes(name));
  if (missing.length > 0)
    throw new Failure(
      'usage',
      `${wanted}, and ${mkfs} ${version} is built without ${missing.join(' and ')}; ${advice}`,
    );
}

/**
 * Checks that a mkfs.erofs takes an argument for its option -z, such as `lz4hc,12` or `lz4:lzma`. Which levels an algorithm
 * has depends on its version, so an image of an empty folder is made with it.
 * @throws Failure (usage) that names the choices or the level, (missing) when it is not installed.
 */
export async function checkCompression(mkfs: string, compress: string): Promise<void> {
  const refuse = (problem: string) => new Failure('usage', `--compress ${compress}: ${problem}`);
  if (/^none[,:]/.test(compress)) throw refuse('none takes no level and no other algorithm; say none alone');
  const { version, compressors } = await answerOf(mkfs);
  if (compressors.length === 0) return;
  const parts = compress.split(':');
  for (const each of parts) {
    const name = each.replace(/,.*/, '');
    if (compressors.includes(name)) continue;
    const choices = `${mkfs} ${version} has ${compressors.join(', ')}`;
    throw refuse(`${name} is unknown; ${choices}; name one of these or none, or another program with --mkfs`);
  }
  if (await makesEmpty(mkfs, `-z${compress}`)) return;
  for (const each of parts) {
    const [name, ...rest] = each.split(',');
    if (rest.length === 0 || (await makesEmpty(mkfs, `-z${each}`))) continue;
    throw refuse(
      `${mkfs} ${version} has no level ${rest.join(',')} of ${name}; name another or leave it out, or name another program with --mkfs`,
    );
  }
  throw refuse(`${mkfs} ${version} does not take this; name one algorithm, or another program with --mkfs`);
}

/** Tells whether a mkfs.erofs makes an image of an empty folder with an option. */
async function makesEmpty(mkfs: string, option: string): Promise<boolean> {
  return withWork(async ({ folder }) => {
    const empty = await mkdtemp(join(folder, 'empty-'));
    try {
      await runProcess(mkfs, ['--quiet', option, join(folder, 'image'), empty]);
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  });
}

/**
 * Checks that a mkfs.erofs makes blocks of this size, by making an image of an empty folder. The limit is that of the
 * machine on which it was built, so its version does not tell.
 * @throws Failure (usage) that says what is needed, (missing) when it is not installed.
 */
export async function checkBlockSize(mkfs: string, blockSize: number, pcluster: number): Promise<void> {
  if (pcluster % blockSize !== 0)
    throw new Failure('usage', `--pcluster ${pcluster} is no multiple of --block-size ${blockSize}`);
  if (await makesEmpty(mkfs, `-b${blockSize}`)) return;
  const { version = 'of an unknown version' } = await answerOf(mkfs);
  const advice =
    'erofs-utils has the option from 1.6 on, up to the pages of the machine where it was built (MAX_BLOCK_SIZE of its configure); name another with --mkfs';
  throw new Failure(
    'usage',
    `--block-size ${blockSize}: ${mkfs} is ${version} and does not make such blocks; ${advice}`,
  );
}

/** Asks a mkfs.erofs for its version. */
export async function versionOf(mkfs: string): Promise<string | undefined> {
  return (await answerOf(mkfs)).version;
}

/**
 * Asks a mkfs.erofs for its version and its algorithms of compression. 1.5 fails after the one and lists the others in
 * its usage, on standard error.
 */
async function answerOf(mkfs: string): Promise<{ version: string | undefined; compressors: string[] }> {
  const chunks: Uint8Array[] = [];
  try {
    await runProcess('sh', ['-c', 'exec "$0" --version 2>&1', mkfs], {
      name: mkfs,
      output: (chunk) => void chunks.push(chunk),
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  const said = Buffer.concat(chunks).toString('latin1');
  const version = /^mkfs\.erofs (?:\(erofs-utils\) )?(\d+\.\d+\S*)/m.exec(said)?.[1];
  const compressors = /^available compressors(?: are)?: (.*)$/im.exec(said)?.[1]?.split(', ') ?? [];
  return { version, compressors };
}
