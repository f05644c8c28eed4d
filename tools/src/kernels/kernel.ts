// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Version } from '../codecs/erofs-features.ts';
import { Failure, inFile } from '../host/failure.ts';
import { readInput, textLimit } from '../host/input.ts';
import { FileSource, type Source } from '../host/source.ts';
import { configOfBzImage, releaseOfBzImage } from './bzimage.ts';
import { type Config, parseConfig, parseVersion, releaseOfConfig } from './config.ts';

/** Facts about the kernel that an initrd is for, as far as they are known. */
export interface Kernel {
  release?: string;
  version?: Version;
  config?: Config;
}

/**
 * Reads a kernel that the user named: a release such as 6.12, or an x86 kernel file. Its configuration is taken out of it,
 * or out of config-RELEASE in the same folder.
 * @throws Failure (usage) when it is neither.
 */
export async function readKernel(named: string): Promise<Kernel> {
  const version = parseVersion(named);
  if (version && !existsSync(named)) return { release: named, version };
  const source = new FileSource(named);
  try {
    const kernel = await readKernelFile(source);
    if (!kernel)
      throw new Failure('usage', 'is no x86 kernel; name a bzImage or a release such as 6.12', {
        file: named,
      });
    const beside = kernel.release === undefined ? '' : join(dirname(named), `config-${kernel.release}`);
    if (kernel.config || !existsSync(beside)) return kernel;
    return { ...kernel, ...configuredOnly(await readConfig(beside)) };
  } catch (error) {
    throw inFile(error, named);
  } finally {
    source.close();
  }
}

/** Reads a kernel file, or returns undefined when it is not one of x86. */
export async function readKernelFile(source: Source): Promise<Kernel | undefined> {
  const release = releaseOfBzImage(source);
  if (release === undefined) return undefined;
  const config = await configOfBzImage(source);
  return { ...kernelOfRelease(release), ...(config === undefined ? {} : { config: parseConfig(config) }) };
}

export function kernelOfRelease(release: string): Kernel {
  const version = parseVersion(release);
  return { release, ...(version ? { version } : {}) };
}

/**
 * Reads a kernel's configuration, which may be compressed by gzip as /proc/config.gz is.
 * @throws Failure (input) when it holds no option.
 */
export async function readConfig(file: string): Promise<Kernel> {
  const bytes = await readInput(file);
  const text = Buffer.from(unzipped(bytes, file)).toString('latin1');
  const config = parseConfig(text);
  if (config.size === 0)
    throw new Failure('input', "no line CONFIG_...=; name a kernel's configuration", { file });
  const release = releaseOfConfig(text);
  return { ...(release === undefined ? {} : kernelOfRelease(release)), config };
}

/** Returns a kernel of which no more than the configuration is known. */
export function configuredOnly({ config }: Kernel): Kernel {
  return config ? { config } : {};
}

function unzipped(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: textLimit });
  } catch {
    throw new Failure('input', 'gzip: the configuration is damaged or cut off; get the whole of it', {
      file,
    });
  }
}
