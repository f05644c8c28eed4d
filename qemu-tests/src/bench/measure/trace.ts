// SPDX-License-Identifier: GPL-2.0-only
import type { Step } from '../../machine/steps.ts';
import { rowsOf, type Verdict } from '../../machine/verdict.ts';

/** The function that only copies what could not be compressed. */
const copier = 'z_erofs_transform_plain';
const functions = [copier, 'z_erofs_lz4_decompress', 'z_erofs_zstd_decompress'] as const;

/** One call of a decompressor, from its struct z_erofs_decompress_req (fs/erofs/compress.h). */
export interface Request {
  /** Nothing is decompressed, only copied. */
  readonly copied: boolean;
  /** The compressed data: its first struct page and the offset in it. */
  readonly source: string;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** Words of a probe: offsets in the structure as x86-64 lays it out, the same in Linux 6.12 and 7.3. */
const fields = 'pages=+0(+8($arg1)):x64,offset=+32($arg1):u16,in=+36($arg1):u32,out=+40($arg1):u32';

/**
 * Command line of a kernel that records every request from before it begins with the initrd. (A hist trigger would
 * add them up in the kernel, but can be set on a probe no earlier than by init.)
 */
export const tracing = [
  // The buffer has a page until a tracer is chosen, be it none.
  'ftrace=nop trace_buf_size=32M',
  `kprobe_event=${functions.map((name) => `p:${name},${name},${fields}`).join(';')}`,
].join(' ');

/** Steps that report the recorded requests. */
export const traceSteps: readonly Step[] = [
  ['mount', 'tracefs', '/sys/kernel/tracing', 'tracefs'],
  ['cat', '/sys/kernel/tracing/trace'],
];

const header = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+) /;
const event = /: (z_erofs_\w+): \(\S+\) pages=(\S+) offset=(\d+) in=(\d+) out=(\d+)$/;

/**
 * Returns the requests that `traceSteps` reported, in order. Throws an Error when the kernel recorded none, forgot
 * some, or when one cannot be a request.
 */
export function requestsOf(verdict: Verdict): Request[] {
  const lines = rowsOf(verdict, 'cat').map(({ line }) => line);
  const [, kept, written] = lines.map((line) => header.exec(line)).find((match) => match !== null) ?? [];
  if (kept === undefined) throw new Error('/sys/kernel/tracing/trace was not reported');
  if (kept !== written) throw new Error(`${kept} of ${written} calls of decompressors are left in the trace`);
  const requests = lines.flatMap((line): Request[] => {
    const [, name, pages, offset, input, output] = event.exec(line) ?? [];
    if (name === undefined) return [];
    const [inputBytes, outputBytes] = [Number(input), Number(output)];
    // EROFS has pclusters of 1 MiB at most (Z_EROFS_PCLUSTER_MAX_SIZE); what comes out of one is no more than 12 MiB.
    if (inputBytes < 1 || inputBytes > 1 << 20 || outputBytes < 1 || outputBytes > 12 << 20) {
      throw new Error(
        `a decompressor was called for ${outputBytes} bytes of ${inputBytes}: not this structure`,
      );
    }
    return [{ copied: name === copier, source: `${pages}+${offset}`, inputBytes, outputBytes }];
  });
  if (String(requests.length) !== kept || requests.length === 0) {
    throw new Error(`${requests.length} calls of decompressors can be read of ${kept} in the trace`);
  }
  return requests;
}
