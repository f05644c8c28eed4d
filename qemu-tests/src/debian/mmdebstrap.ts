// SPDX-License-Identifier: GPL-2.0-only
import { ExecaError, execa } from 'execa';
import type { Architecture } from '../host/architecture.ts';
import type { Archives } from './apt.ts';

/** A line in which mmdebstrap announces a step. */
const announcement = /^I: (running apt-get update|downloading|extracting|installing|creating|cleaning)(.*)$/;

/** A Debian system to make. */
export interface System {
  readonly archives: Archives;
  readonly packages: readonly string[];
  /** Options of mmdebstrap, in front of those that make the system not remember where it came from. */
  readonly options: readonly string[];
  /** The tar archive to write. */
  readonly output: string;
}

/** Returns options by which packages and what they depend on are unpacked, and nothing of them is executed. */
export function extractOnly(architecture: Architecture): string[] {
  return [
    ...['--variant=extract', `--architectures=${architecture}`],
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
  ];
}

/** The machine's own archives and apt's options for them; their addresses may hold a password. */
const origins =
  'rm -rf "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/preferences.d/demo "$1"/etc/apt/sources.list*';

/** Runs mmdebstrap, and tells `progress` each step. Throws an Error with its own words when it fails. */
export async function mmdebstrap(system: System, progress: (text: string) => void): Promise<void> {
  const { archives, packages, options, output } = system;
  const subprocess = execa(
    'mmdebstrap',
    [
      '--variant=minbase',
      '--format=tar',
      `--include=${packages.join(',')}`,
      ...archives.options.map((option) => `--aptopt=${option}`),
      `--setup-hook=printf '%s' '${archives.preferences}' >"$1/etc/apt/preferences.d/demo"`,
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      ...options,
      `--customize-hook=${origins}`,
      archives.codename,
      output,
      ...archives.files,
    ],
    { env: { LC_ALL: 'C' } },
  );
  try {
    for await (const line of subprocess.iterable({ from: 'stderr' })) {
      const step = announcement.exec(line);
      if (step !== null) progress(`${step[1]}${step[2]}`);
    }
    await subprocess;
  } catch (error) {
    throw error instanceof ExecaError ? explain(error) : error;
  }
}

/** Turns mmdebstrap's own words into an Error with advice. */
function explain(error: ExecaError): Error {
  if (error.code === 'ENOENT') {
    return new Error('mmdebstrap is not installed; make deps installs what is needed', { cause: error });
  }
  const said = String(error.stderr)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('I: '));
  const advice = said.some((line) => line.includes('unable to pick chroot mode'))
    ? ['Users other than root need a line in /etc/subuid and /etc/subgid: usermod --add-subuids.']
    : [];
  return new Error(['mmdebstrap failed:', ...said.slice(-20), ...advice].join('\n'), { cause: error });
}
