// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { Failure } from '../host/failure.ts';
import { standardOutput } from '../host/output.ts';
import type { Times } from '../images/folder.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Limit of the kernel: Z_EROFS_PCLUSTER_MAX_SIZE (fs/erofs/erofs_fs.h). */
const pclusterLimit = 1024 * 1024;
/** Largest alignment: more is a slip of the keyboard, and would make an output of that size. */
const alignLimit = 2 ** 30;

/** Adds to the values of an option that may be given several times. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

export function parsePcluster(value: string): number {
  const bytes = parseSize(value);
  if (bytes % 4096 !== 0 || bytes > pclusterLimit)
    throw new InvalidArgumentError('A multiple of 4096, at most 1M.');
  return bytes;
}

/** Parses the size of a block of EROFS: the kernel takes those from a sector up to a page. */
export function parseBlockSize(value: string): number {
  const bytes = parseSize(value);
  if (bytes < 512 || bytes > 65536 || !Number.isInteger(Math.log2(bytes)))
    throw new InvalidArgumentError('A power of two from 512 to 65536.');
  return bytes;
}

export function parseAlign(value: string): number {
  const bytes = parseSize(value);
  if (bytes % 4 !== 0 || bytes > alignLimit) throw new InvalidArgumentError('A multiple of 4, at most 1G.');
  return bytes;
}

export function parseUuid(value: string): string {
  if (!uuidPattern.test(value)) throw new InvalidArgumentError('32 hexadecimal digits as 8-4-4-4-12.');
  return value.toLowerCase();
}

/** Checks a device for storage-init. It becomes a line of the settings, so it has no line break. */
export function parseBootfs(value: string): string {
  if (!/^(?:(?:UUID|LABEL|PARTUUID|PARTLABEL)=|\/dev\/)[^\n]+$/.test(value)) {
    throw new InvalidArgumentError('UUID=, LABEL=, PARTUUID= or PARTLABEL=, or a device below /dev.');
  }
  return value;
}

/** Returns the name of an output. /dev/stdout is standard output, where nothing else may go. */
export function parseOutput(value: string): string {
  return ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'].includes(value) ? standardOutput : value;
}

/** Returns a program to run: a name to look for in PATH, or a path that is the same in every folder. */
export function parseProgram(value: string): string {
  return value.includes('/') ? resolve(value) : value;
}

/** Tells whether a text is the release of a kernel, which becomes a part of names of files and of lines of settings. */
export function isRelease(text: string): boolean {
  return /^[A-Za-z0-9_][\w.+~:-]*$/.test(text);
}

export function parseRelease(value: string): string {
  if (!isRelease(value)) throw new InvalidArgumentError('A release such as 6.12.0-1-amd64.');
  return value;
}

/** Checks the type of a file system, which becomes a line of settings. */
export function parseFileSystem(value: string): string {
  if (!/^[\w.-]+$/.test(value)) throw new InvalidArgumentError('The name of a file system, such as ext4.');
  return value;
}

export function parseAbsolute(value: string): string {
  if (!/^\/[^\n]+$/.test(value)) throw new InvalidArgumentError('A path that begins with a slash.');
  return value;
}

/** Parses a number of bytes, which may end in K, M, G or T for powers of 1024. */
export function parseSize(value: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,9})([KMGT]?)$/.exec(value) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('A number of bytes, or one with K, M, G or T.');
  return Number(digits) * 1024 ** ' KMGT'.indexOf(unit || ' ');
}

export function parseSegment(value: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(value)) throw new InvalidArgumentError('A number from 1 on.');
  return Number(value);
}

export function parseUkiProfile(value: string): number {
  if (!/^[0-9]{1,3}$/.test(value)) throw new InvalidArgumentError('A number, counted from 0.');
  return Number(value);
}

export function parsePageSize(value: string): number {
  const bytes = parseSize(value);
  if (bytes < 4096 || bytes > 65536 || !Number.isInteger(Math.log2(bytes)))
    throw new InvalidArgumentError('4096, 16384 or 65536.');
  return bytes;
}

/**
 * Returns the times that files of an image get: their own if they are wanted or SOURCE_DATE_EPOCH limits them
 * (reproducible-builds.org), or none.
 * @throws Failure (usage) when that variable is no number.
 */
export function timesFor(keepTimes: boolean): { times?: Times } {
  const text = process.env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === '') return keepTimes ? { times: {} } : {};
  if (!/^[0-9]{1,15}$/.test(text)) {
    const problem = 'is no number of seconds since 1970; unset it or set it to one';
    throw new Failure('usage', problem, { file: 'SOURCE_DATE_EPOCH' });
  }
  return { times: { latest: Number(text) } };
}
