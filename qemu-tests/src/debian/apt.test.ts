// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import {
  codenameOf,
  debianFiles,
  parseCandidates,
  parseTargets,
  preferencesFor,
  transportOptions,
} from './apt.ts';

const line = (...fields: string[]) => fields.join('\t');

describe('debianFiles', () => {
  const targets = parseTargets(
    [
      line('Debian', 'trixie', '/s/debian.sources:1'),
      line('Debian', 'trixie-updates', '/s/debian.sources:1'),
      line('Debian', 'trixie-security', '/s/security.list:3'),
      line('Debian', 'sid', '/s/unstable.sources:1'),
      line('Debian Backports', 'trixie-backports', '/s/backports.list:1'),
      line('. nodistro', 'nodistro', '/s/vendor.list:1'),
      '',
    ].join('\n'),
  );

  it('names each file with an archive of the release once, and no other', () => {
    expect(debianFiles(targets, 'trixie')).toEqual(['/s/debian.sources', '/s/security.list']);
  });

  it('names none when apt has no archive of the release', () => {
    expect(debianFiles(targets, 'bookworm')).toEqual([]);
  });
});

describe('preferencesFor', () => {
  it('keeps everything out but the archives of the release', () => {
    const stanzas = preferencesFor('trixie').split('\n\n');
    expect(stanzas).toHaveLength(4);
    expect(stanzas[0]).toBe('Package: *\nPin: release o=Debian,n=trixie\nPin-Priority: 500');
    expect(stanzas.at(-1)).toBe('Package: *\nPin: release *\nPin-Priority: -1\n');
  });
});

describe('parseCandidates', () => {
  it('leaves out what apt cannot install', () => {
    const policy = [
      'dracut:',
      '  Installed: (none)',
      '  Candidate: 059-4',
      '  Version table:',
      '     059-4 500',
      'intel-microcode:',
      '  Installed: (none)',
      '  Candidate: (none)',
      '  Version table:',
    ].join('\n');
    expect([...parseCandidates(policy)]).toEqual([['dracut', '059-4']]);
  });
});

describe('transportOptions', () => {
  it('keeps how archives are reached and nothing else', () => {
    const dump = [
      'Acquire "";',
      'Acquire::cdrom::mount "/media/cdrom/";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::http "";',
      'Acquire::http::Proxy "http://127.0.0.1:3142";',
      'Acquire::AllowInsecureRepositories "0";',
      'APT::Install-Recommends "0";',
    ].join('\n');
    expect(transportOptions(dump)).toEqual([
      'Acquire::Check-Valid-Until "false";',
      'Acquire::http::Proxy "http://127.0.0.1:3142";',
    ]);
  });
});

describe('codenameOf', () => {
  it('reads os-release with and without quotes', () => {
    expect(codenameOf('ID=debian\nVERSION_CODENAME=trixie\n')).toBe('trixie');
    expect(codenameOf('VERSION_CODENAME="bookworm"\n')).toBe('bookworm');
    expect(codenameOf('ID=debian\n')).toBeUndefined();
  });
});
