// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from 'vitest';
import {
  codenameOf,
  debianSources,
  parseCandidates,
  parseTargets,
  signedBy,
  transportOptions,
} from './apt.ts';

const line = (...fields: string[]) => fields.join('\t');

describe('debianSources', () => {
  const targets = parseTargets(
    [
      line('Debian', 'trixie', 'stable', 'http://a.test/debian/', 'main', '/s/debian.sources:1'),
      line('Debian', 'trixie', 'stable', 'http://a.test/debian/', 'contrib', '/s/debian.sources:1'),
      line('Debian-Security', 'trixie-security', 'trixie-security', 'http://s.test/', 'main', '/s/l.list:3'),
      line('Debian', 'sid', 'sid', 'http://a.test/debian/', 'main', '/s/debian.sources:2'),
      line('Debian Backports', 'trixie-backports', 'trixie-backports', 'http://a.test/', 'main', '/s/b:1'),
      line('. nodistro', 'nodistro', 'nodistro', 'http://vendor.test/', 'main', '/s/vendor.list:1'),
      '',
    ].join('\n'),
  );

  it('keeps the release of this machine and leaves out everything else', () => {
    const text = debianSources(targets, 'trixie', (entry) =>
      entry.endsWith(':1') ? '/keys/debian.gpg' : undefined,
    );
    expect(text).toBe(
      [
        'Types: deb\nURIs: http://a.test/debian/\nSuites: stable\nComponents: main\nSigned-By: /keys/debian.gpg\n',
        'Types: deb\nURIs: http://a.test/debian/\nSuites: stable\nComponents: contrib\nSigned-By: /keys/debian.gpg\n',
        'Types: deb\nURIs: http://s.test/\nSuites: trixie-security\nComponents: main\n',
      ].join('\n'),
    );
  });

  it('is empty when apt has no archive of the release', () => {
    expect(debianSources(targets, 'bookworm', () => undefined)).toBe('');
  });
});

describe('signedBy', () => {
  it.each([
    ['deb [arch=amd64 signed-by=/k/a.gpg] http://a.test/ sid main', '/k/a.gpg'],
    ['deb [ Signed-By=/k/a.gpg ] http://a.test/ sid main', '/k/a.gpg'],
    ['deb http://a.test/ sid main', undefined],
  ])('%s', (entry, key) => {
    expect(signedBy('/etc/apt/sources.list', `# a comment\n\n${entry}\n`, 3)).toBe(key);
  });

  it('counts stanzas of a deb822 file as apt does, without comments', () => {
    const text =
      '# comment\n\nTypes: deb\nSigned-By: /k/1.gpg\n\n \n\nTypes: deb\n# more\nSigned-By: /k/2.gpg\nURIs: x\n';
    expect(signedBy('debian.sources', text, 1)).toBe('/k/1.gpg');
    expect(signedBy('debian.sources', text, 2)).toBe('/k/2.gpg');
    expect(signedBy('debian.sources', text, 3)).toBeUndefined();
  });

  it('takes a key that is given in full', () => {
    const key = '\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEZ\n -----END PGP PUBLIC KEY BLOCK-----';
    expect(signedBy('a.sources', `Types: deb\nSigned-By:${key}\nURIs: x\n`, 1)).toBe(key);
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
