// SPDX-License-Identifier: GPL-2.0-only
import { Failure } from '../host/failure.ts';
import { asSource, type Source } from '../host/source.ts';
import { numberAt } from './bytes.ts';

/** Last bytes of an initrd with a boot configuration, after its size and checksum (include/linux/bootconfig.h). */
const magic = '#BOOTCONFIG\n';
const footerSize = 8 + magic.length;
/** Limit of the kernel: XBC_DATA_MAX. */
const sizeLimit = 32 * 1024;
/** Padding that boot loaders may add: they align the size to 4 (get_boot_config_from_initrd() in init/main.c). */
const paddingLimit = 3;

/**
 * Finds the boot configuration at the end of an initrd.
 * @returns its offset, or undefined if there is none.
 * @throws Failure (input) when its size or checksum is wrong. The kernel ignores it then, and reads it as an initrd.
 */
export function bootConfigStart(bytes: Uint8Array | Source): number | undefined {
  const source = asSource(bytes);
  for (let padding = 0; padding <= paddingLimit; padding++) {
    const end = source.size - padding;
    const at = end - magic.length;
    if (at < 8 || Buffer.from(source.read(at, magic.length)).toString('latin1') !== magic) continue;
    const size = numberAt(source, at - 8, 4);
    const checksum = numberAt(source, at - 4, 4);
    const start = end - footerSize - size;
    const damaged = (problem: string, offset: number) =>
      new Failure('input', `a boot configuration ${problem}; write it again with bootconfig -a`, { offset });
    if (start < 0 || size > sizeLimit) throw damaged(`of ${size} bytes, which cannot be`, at - 8);
    let sum = 0;
    for (const byte of source.read(start, size)) sum = (sum + byte) >>> 0;
    if (sum !== checksum) throw damaged('with a wrong checksum', start);
    return start;
  }
  return undefined;
}
