// SPDX-License-Identifier: GPL-2.0-only

/** Mask of the type in the upper bits of a mode: S_IFMT (include/uapi/linux/stat.h). */
const mask = 0o170000;

export const typeBits = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};

export type FileType = keyof typeof typeBits;

const types = new Map(Object.entries(typeBits).map(([type, bits]) => [bits, type as FileType]));

export function typeOfMode(mode: number): FileType | undefined {
  return types.get(mode & mask);
}
