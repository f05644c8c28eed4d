// SPDX-License-Identifier: GPL-2.0-only

export function warn(line: string): void {
  process.stderr.write(`initoverlayfs: warning: ${line}\n`);
}
