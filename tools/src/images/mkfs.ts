// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { runProcess } from '../host/process.ts';

/** Oldest mkfs.erofs whose solid images are right: 1.7 cannot write zstd, and 1.5 of Debian 12 only lz4. */
const oldest = { major: 1, minor: 8 };

/**
 * Checks that a mkfs.erofs can make solid images with these compressions.
 * @throws Failure (usage) that says what is needed, (missing) when it is not installed.
 */
export async function checkMkfs(mkfs: string, compressions: string[]): Promise<void> {
  const said = await versionText(mkfs);
  const wanted = `--profile needs erofs-utils ${oldest.major}.${oldest.minor} or later with ${compressions.join(' and ')}`;
  const advice = 'Debian 13 has it in the package erofs-utils; name another mkfs.erofs with --mkfs';
  const [, version, major, minor] = /^mkfs\.erofs (?:\(erofs-utils\) )?((\d+)\.(\d+)\S*)/m.exec(said) ?? [];
  if (version === undefined)
    throw new Failure('usage', `${wanted}, and ${mkfs} does not tell its version; ${advice}`);
  if (Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor))
    throw new Failure('usage', `${wanted}, and ${mkfs} is ${version}; ${advice}`);
  const available = /^available compressors: (.*)$/m.exec(said)?.[1]?.split(', ') ?? [];
  const missing = compressions.filter((name) => !available.includes(name));
  if (missing.length > 0)
    throw new Failure(
      'usage',
      `${wanted}, and ${mkfs} ${version} is built without ${missing.join(' and ')}; ${advice}`,
    );
}

/** Returns the answer to --version, also of 1.5, which fails after it. */
async function versionText(mkfs: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    await runProcess(mkfs, ['--version'], { output: (chunk) => void chunks.push(chunk) });
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'program')) throw error;
  }
  return Buffer.concat(chunks).toString('latin1');
}
