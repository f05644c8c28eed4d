// SPDX-License-Identifier: GPL-2.0-only

import { superblockFields, superblockOffset, superblockSize } from '../images/superblock.ts';
import type { Base } from './base.ts';
import { applyEdits, checksumEdit, type Edit } from './edit.ts';
import type { Field, Part } from './field.ts';
import { Random } from './random.ts';
import { type Structure, structureOf } from './structure.ts';
import { numberBytes, otherValue, readNumber } from './value.ts';

/** A damaged image, as a sound one and edits. */
export interface Mutant {
  readonly number: number;
  readonly base: string;
  /** Bytes of the image; the base is cut off or lengthened by zeroes. */
  readonly length: number;
  /** The offset of its start in a page of memory. */
  readonly start: number;
  /** The byte around it in memory. */
  readonly fill: number;
  readonly edits: readonly Edit[];
  /**
   * Inodes that no edit is about. They are as sound as in the base, so every mutant would find the same in them, and
   * that would take most of the time.
   */
  readonly sound: readonly number[];
}

/** A base with the fields that an edit can be aimed at. */
export interface Target {
  readonly base: Base;
  readonly structure: Structure;
}

export function targetOf(base: Base): Target {
  return { base, structure: structureOf(base.bytes) };
}

const pageSize = 4096;

/**
 * The number of edits for each part, of a hundred; a part that an image has not got is left out. Most mutants with an
 * edit in the superblock do not mount.
 */
const shares: readonly (readonly [Part, number])[] = [
  ['superblock', 6],
  ['inode', 24],
  ['directory', 12],
  ['xattr', 14],
  ['chunk', 14],
  ['compression header', 12],
  ['index', 16],
  ['data', 14],
];

function pickField(structure: Structure, random: Random): Field {
  const there = shares.filter(([part]) => structure.fields.some((field) => field.part === part));
  const weighted = there.flatMap(([part, share]) => Array.from({ length: share }, () => part));
  const part = random.pick(weighted);
  const fields = structure.fields.filter((field) => field.part === part);
  // The name of the field first: an image has a hundred names of files and one count of extended attributes.
  const name = random.pick([...new Set(fields.map((field) => field.name))]);
  return random.pick(fields.filter((field) => field.name === name));
}

/** Formats a value for a person. */
function show(bytes: Buffer): string {
  return bytes.length <= 8 ? `0x${readNumber(bytes, 0, bytes.length).toString(16)}` : `${bytes.length} bytes`;
}

function place(at: number): string {
  return `at 0x${at.toString(16)}`;
}

function edit(image: Buffer, at: number, bytes: Buffer, name: string): Edit {
  const old = image.subarray(at, at + bytes.length);
  return { at, bytes, what: `${name} ${place(at)}: ${show(old)} -> ${show(bytes)}` };
}

interface Damage {
  readonly edits: readonly Edit[];
  /** The inodes that it is about; undefined is any. */
  readonly nids: readonly (number | undefined)[];
}

/** Changes one field, or exchanges the values of two fields of the same kind. */
function fieldEdits({ base, structure }: Target, random: Random): Damage {
  const field = pickField(structure, random);
  const name = `${field.part} ${field.name}`;
  const alike = structure.fields.filter(
    (other) => other !== field && other.name === field.name && other.size === field.size,
  );
  if (alike.length > 0 && random.percent(12)) {
    const other = random.pick(alike);
    const read = ({ at, size }: Field) => Buffer.from(base.bytes.subarray(at, at + size));
    return {
      edits: [edit(base.bytes, field.at, read(other), name), edit(base.bytes, other.at, read(field), name)],
      nids: [field.nid, other.nid],
    };
  }
  const bytes = otherValue(field, base.bytes, structure, random);
  return { edits: [edit(base.bytes, field.at, bytes, name)], nids: [field.nid] };
}

/** Changes bytes anywhere, half of the time near the inodes at the start. */
function flips({ base }: Target, random: Random): Edit[] {
  const reach = random.percent(50) ? Math.min(base.bytes.length, 8192) : base.bytes.length;
  return Array.from({ length: 1 + random.below(40) }, () => {
    const at = superblockOffset + random.below(reach - superblockOffset);
    return edit(base.bytes, at, random.bytes(1), 'byte');
  });
}

/** Copies a part of the image over another part. */
function move({ base }: Target, random: Random): Edit {
  const length = 1 + random.below(random.percent(50) ? 64 : 1024);
  const from = random.below(base.bytes.length - length);
  const to = superblockOffset + random.below(base.bytes.length - length - superblockOffset);
  const bytes = Buffer.from(base.bytes.subarray(from, from + length));
  return {
    at: to,
    bytes,
    what: `${length} bytes copied from 0x${from.toString(16)} to 0x${to.toString(16)}`,
  };
}

/** Changes the length, and most of the time the superblock with it. */
function cut({ base, structure }: Target, random: Random): { length: number; edits: Edit[] } {
  const { blockSize } = structure;
  const some = random.percent(50) ? random.below(base.bytes.length) : blockSize * random.below(20);
  const shorter = Math.max(superblockOffset + superblockSize, base.bytes.length - some);
  const length = random.percent(85) ? shorter : base.bytes.length + some;
  if (random.percent(20)) return { length, edits: [] };
  const blocks = numberBytes(BigInt(Math.floor(length / blockSize)), 4);
  return {
    length,
    edits: [edit(base.bytes, superblockOffset + superblockFields.blocks, blocks, 'superblock blocks')],
  };
}

/** Chooses an offset in a page: 0, one with which the image ends at the end of a page, or any multiple of 4. */
function pickStart(length: number, random: Random): number {
  const dice = random.below(4);
  if (dice < 2) return 0;
  const toEnd = (pageSize - (length % pageSize)) % pageSize;
  if (dice === 2) return toEnd - (toEnd % 4);
  return 4 * random.below(pageSize / 4);
}

/** Makes the mutant with a number of a seed: the same one for the same targets. */
export function mutant(seed: number, number: number, targets: readonly Target[]): Mutant {
  const random = new Random(seed, number);
  const target = random.pick(targets);
  const { base } = target;
  const damages: Damage[] = [];
  let length = base.bytes.length;

  const how = random.below(100);
  if (how < 78) {
    // Mostly one: the kernel refuses an image at the first fault that it finds.
    for (let n = 0; n === 0 || (n < 6 && random.percent(35)); n++) damages.push(fieldEdits(target, random));
  } else if (how < 88) {
    damages.push({ edits: flips(target, random), nids: [undefined] });
  } else if (how < 93) {
    damages.push({ edits: [move(target, random)], nids: [undefined] });
  } else {
    const short = cut(target, random);
    length = short.length;
    damages.push({ edits: short.edits, nids: [undefined] });
    if (random.percent(30)) damages.push(fieldEdits(target, random));
  }

  const nids = damages.flatMap((damage) => damage.nids);
  const mutant = {
    number,
    base: base.name,
    length,
    start: pickStart(length, random),
    fill: 1 + random.below(254),
    edits: damages.flatMap((damage) => damage.edits),
    sound: nids.includes(undefined) ? [] : target.structure.nids.filter((nid) => !nids.includes(nid)),
  };
  return random.percent(96) ? withChecksum(mutant, base) : mutant;
}

/** Adds an edit that makes the checksum right, if it is not. */
export function withChecksum(mutant: Mutant, base: Base): Mutant {
  const repair = checksumEdit(applyEdits(base.bytes, mutant.length, mutant.edits));
  return repair === undefined ? mutant : { ...mutant, edits: [...mutant.edits, repair] };
}
