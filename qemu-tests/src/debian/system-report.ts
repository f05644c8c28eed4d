// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogRecord, parseLog } from '../log/record.ts';
import { trial } from '../machine/trial.ts';
import { artefactsOf, type Vm, type VmOptions } from '../machine/vm.ts';

/** The report that `guest/system` made of a whole system. */
export interface SystemReport {
  /** The value of each line by its name; those of several lines are in their order. */
  readonly values: (name: string) => readonly string[];
  readonly log: readonly LogRecord[];
}

/** Reads a report. Throws an Error when its last line is missing. */
export function parseSystemReport(text: string): SystemReport {
  const lines = text.replaceAll('\r', '').split('\n');
  if (!lines.includes('done')) throw new Error(`the guest did not finish its report: ${lines.at(-2) ?? ''}`);
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return { values, log: parseLog(values('log').join('\n')) };
}

/**
 * Boots a whole system, with `drive` at its console, and returns its report. Throws a BootFailure when there is none, or
 * one that does not check.
 */
export async function systemBoot(
  options: Omit<VmOptions, 'serialLogs'>,
  check: (report: SystemReport) => void,
  drive?: (vm: Vm) => Promise<void>,
): Promise<SystemReport> {
  const file = join(artefactsOf(options.name), 'report.txt');
  const look = () => {
    const report = parseSystemReport(readFileSync(file, 'latin1'));
    check(report);
    return report;
  };
  const { found } = await trial({ ...options, serialLogs: [file] }, look, drive);
  return found;
}
