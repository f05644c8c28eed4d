// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { execa } from 'execa';

/** One index of packages that apt has, with the entry of the sources files that it comes from. */
export interface Target {
  /** The origin in the archive's Release file, such as `Debian` or `Debian Backports`. */
  readonly origin: string;
  /** Such as `bookworm-security`. */
  readonly codename: string;
  /** `FILE:N`; N counts lines of a .list file and stanzas of a .sources file, from 1. */
  readonly entry: string;
}

const fields = ['ORIGIN', 'CODENAME', 'SOURCESENTRY'];

/** Reads the lines of `apt-get indextargets` in the format asked for below. */
export function parseTargets(text: string): Target[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [origin = '', codename = '', entry = ''] = line.split('\t');
      return { origin, codename, entry };
    });
}

/** Returns the codenames of the archives that make up a release of Debian. */
function archivesOf(codename: string): string[] {
  return [codename, `${codename}-updates`, `${codename}-security`];
}

/** Returns the sources files that name an archive of Debian's release `codename`. Other vendors have files of their own. */
export function debianFiles(targets: readonly Target[], codename: string): string[] {
  const entries = targets
    .filter((target) => target.origin === 'Debian' && archivesOf(codename).includes(target.codename))
    .map(({ entry }) => entry.slice(0, entry.lastIndexOf(':')));
  return [...new Set(entries)];
}

/**
 * Returns preferences for apt, as of apt_preferences(5), by which nothing is installed but packages of Debian's release
 * `codename`, whatever else the same files name.
 */
export function preferencesFor(codename: string): string {
  const stanza = (release: string, priority: number) =>
    `Package: *\nPin: release ${release}\nPin-Priority: ${priority}\n`;
  return [...archivesOf(codename).map((name) => stanza(`o=Debian,n=${name}`, 500)), stanza('*', -1)].join(
    '\n',
  );
}

/** Reads the machine's codename from the text of os-release(5). */
export function codenameOf(osRelease: string): string | undefined {
  return /^VERSION_CODENAME="?([^"\n]+)"?$/m.exec(osRelease)?.[1];
}

/** Reads the candidate versions in the output of `apt-cache policy`; a package without one is left out. */
export function parseCandidates(policy: string): Map<string, string> {
  const candidates = new Map<string, string>();
  for (const block of policy.split(/\n(?=\S)/)) {
    const version = /^ {2}Candidate: (.+)$/m.exec(block)?.[1];
    if (version !== undefined && version !== '(none)') {
      candidates.set(block.slice(0, block.indexOf(':')), version);
    }
  }
  return candidates;
}

/**
 * Selects proxies, time checks and the like in the output of `apt-config dump`, the options by which another apt
 * reaches the same archives. Each is a line of apt.conf(5).
 */
export function transportOptions(configuration: string): string[] {
  return configuration
    .split('\n')
    .filter((line) =>
      /^Acquire::(?:https?(?:::|\s)|Check-|Max-ValidTime|Min-ValidTime|Retries|ForceIPv)/i.test(line),
    )
    .filter((line) => !line.endsWith(' "";'));
}

/** The archives of this machine, for a second system to install packages from. */
export interface Archives {
  readonly codename: string;
  /** Sources files of this machine. */
  readonly files: readonly string[];
  /** Preferences of apt, which leave out what else these files name. */
  readonly preferences: string;
  /** Lines of apt.conf(5). */
  readonly options: readonly string[];
}

/** Asks the machine's apt. Throws an Error that says what to do when it knows no archive of Debian's. */
export async function archives(): Promise<Archives> {
  const codename = codenameOf(readFileSync('/etc/os-release', 'utf8'));
  if (codename === undefined) {
    throw new Error('/etc/os-release: no VERSION_CODENAME; the demo needs Debian 12 or 13');
  }
  const format = fields.map((field) => `$(${field})`).join('\t');
  const targets = await execa('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const files = debianFiles(parseTargets(targets.stdout), codename);
  if (files.length === 0) {
    throw new Error(
      `apt knows no archive of Debian ${codename}: run \`apt-get update\`, or add one to /etc/apt/sources.list.d`,
    );
  }
  return { codename, files, preferences: preferencesFor(codename), options: await transport() };
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Returns the line of sources.list(5) for any release of Debian, at the address from which this machine gets its own. */
export async function sourceLine(codename: string): Promise<string> {
  const format = '$(LABEL) $(REPO_URI)';
  const targets = await execa('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const address = /^Debian (\S+)$/m.exec(targets.stdout)?.[1] ?? 'http://deb.debian.org/debian/';
  return `deb [signed-by=${keyring}] ${address} ${codename} main`;
}

/** Returns the lines of apt.conf(5) by which this machine reaches its archives. */
export async function transport(): Promise<string[]> {
  const configuration = await execa('apt-config', ['dump']);
  return transportOptions(configuration.stdout);
}

/** Asks apt for the versions that it would install now; a package that it does not know is left out. */
export async function candidates(packages: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = await execa('apt-cache', ['policy', ...packages], { env: { LC_ALL: 'C' } });
  return parseCandidates(stdout);
}
