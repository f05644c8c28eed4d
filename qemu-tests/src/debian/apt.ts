// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { execa } from 'execa';

/** One index of packages that apt has, with the entry of the sources files that it comes from. */
export interface Target {
  /** Who the archive's Release file says that it is, such as `Debian` or `Debian Backports`. */
  readonly origin: string;
  /** Such as `bookworm-security`. */
  readonly codename: string;
  /** As the sources name it: a codename or a suite such as `stable`. */
  readonly release: string;
  readonly uri: string;
  readonly component: string;
  /** `FILE:N`; N counts lines of a .list file and stanzas of a .sources file, from 1. */
  readonly entry: string;
}

const fields = ['ORIGIN', 'CODENAME', 'RELEASE', 'REPO_URI', 'COMPONENT', 'SOURCESENTRY'];

/** Reads the lines of `apt-get indextargets` in the format asked for below. */
export function parseTargets(text: string): Target[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [origin = '', codename = '', release = '', uri = '', component = '', entry = ''] =
        line.split('\t');
      return { origin, codename, release, uri, component, entry };
    });
}

/** What an entry of a sources file says of the keys that sign its archive; undefined when it says nothing. */
export function signedBy(file: string, text: string, number: number): string | undefined {
  if (!file.endsWith('.sources')) {
    const options = /\[([^\]]*)\]/.exec(text.split('\n')[number - 1] ?? '')?.[1] ?? '';
    return /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
  }
  const stanzas = text
    .split(/\n(?:[ \t]*\n)+/)
    .map((stanza) => stanza.replaceAll(/^#.*\n?/gm, ''))
    .filter((stanza) => stanza.trim() !== '');
  // A key given in full goes on over lines that begin with a blank.
  return /^Signed-By:[ \t]*((?:.*)(?:\n[ \t].*)*)/im.exec(stanzas[number - 1] ?? '')?.[1]?.trimEnd();
}

/**
 * The part of the machine's apt sources that is Debian's own release `codename`, as deb822 stanzas. Other
 * vendors' archives and other releases are left out. `keys` tells how an entry is signed.
 */
export function debianSources(
  targets: readonly Target[],
  codename: string,
  keys: (entry: string) => string | undefined,
): string {
  const wanted = [codename, `${codename}-updates`, `${codename}-security`];
  const stanzas = targets
    .filter((target) => /^Debian(-Security)?$/.test(target.origin) && wanted.includes(target.codename))
    .map((target) => {
      const key = keys(target.entry);
      return [
        'Types: deb',
        `URIs: ${target.uri}`,
        `Suites: ${target.release}`,
        `Components: ${target.component}`,
        ...(key === undefined ? [] : [`Signed-By: ${key}`]),
        '',
      ].join('\n');
    });
  return [...new Set(stanzas)].join('\n');
}

/** The machine's codename, from the text of os-release(5). */
export function codenameOf(osRelease: string): string | undefined {
  return /^VERSION_CODENAME="?([^"\n]+)"?$/m.exec(osRelease)?.[1];
}

/** The candidate versions in the output of `apt-cache policy`; a package without one is left out. */
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
 * Proxies, time checks and the like, from `apt-config dump`: what another apt needs in order to reach the
 * same archives. One line of apt.conf(5) an option.
 */
export function transportOptions(configuration: string): string[] {
  return configuration
    .split('\n')
    .filter((line) =>
      /^Acquire::(?:https?(?:::|\s)|Check-|Max-ValidTime|Min-ValidTime|Retries|ForceIPv)/i.test(line),
    )
    .filter((line) => !line.endsWith(' "";'));
}

/** All that a second system needs to install packages from where this machine does. */
export interface Archives {
  readonly codename: string;
  /** A deb822 sources file. */
  readonly sources: string;
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
  const sources = debianSources(parseTargets(targets.stdout), codename, (entry) => {
    const at = entry.lastIndexOf(':');
    const file = entry.slice(0, at);
    return signedBy(file, readFileSync(file, 'utf8'), Number(entry.slice(at + 1)));
  });
  if (sources === '') {
    throw new Error(
      `apt knows no archive of Debian ${codename}: run \`apt-get update\`, or add one to /etc/apt/sources.list.d`,
    );
  }
  const configuration = await execa('apt-config', ['dump']);
  return { codename, sources, options: transportOptions(configuration.stdout) };
}

/** The versions that apt would install now; a package it does not know is left out. */
export async function candidates(packages: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = await execa('apt-cache', ['policy', ...packages], { env: { LC_ALL: 'C' } });
  return parseCandidates(stdout);
}
