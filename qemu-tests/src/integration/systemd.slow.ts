// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemBoot } from '../debian/system-report.ts';
import { kernel } from '../host/kernels.ts';
import { DebianRoot } from './debian-root.ts';

// Credentials and extension images that a boot loader adds, as systemd-stub does, to an initrd with systemd that is
// mounted in place.

const extra = '/opt/extra';
/** Files below .extra, with their text. Extensions in an initrd have to say that they are for one. */
const files = {
  'credentials/test.cred': 'secret',
  'sysext/app/usr/lib/extension-release.d/extension-release.app': 'ID=_any\nSYSEXT_SCOPE=initrd\n',
  'sysext/app/usr/share/extension/text': 'of the system extension\n',
  'confext/conf/etc/extension-release.d/extension-release.conf': 'ID=_any\nCONFEXT_SCOPE=initrd\n',
  'confext/conf/etc/extension/text': 'of the configuration extension\n',
};

describe.each([
  { system: 'dracut', version: 257, modules: ['systemd-sysext', 'systemd-creds'], merges: true },
  // It has no /.extra among the places for extensions, whatever the initrd is, and no configuration extensions.
  { system: 'systemd-252', version: 252, modules: ['systemd-sysext'], merges: false },
] as const)('systemd $version', ({ system, version, modules, merges }) => {
  let root: DebianRoot;

  beforeAll(async () => {
    root = await DebianRoot.make(system, `systemd-${version}`);
    await root.installProject();
    const guest = join(import.meta.dirname, 'guest');
    const unit = '/etc/systemd/system/extras-report.service';
    await root.copyIn(join(guest, 'extras-report'), 'extras-report');
    await root.copyIn(join(guest, 'extras-report.service'), unit);
    const include = ['/extras-report', unit].map((path) => `--include ${path} ${path}`).join(' ');
    const add = ['systemd', 'systemd-initrd', ...modules].join(' ');
    await root.run(
      `dracut --quiet --no-kernel --no-hostonly --add "${add}" --install tr ${include} /opt/initrd 7.3`,
    );
    const writes = Object.entries(files).map(
      ([path, text]) => `install -D /dev/stdin ${extra}/.extra/${path} <<'END'\n${text.trimEnd()}\nEND`,
    );
    await root.run(writes.join('\n'));
  });

  afterAll(() => root?.remove());

  test.each([
    ["the shim's initrd-extra", '--init-shim', '/run/credentials/@encrypted/test'],
    ["the package's generator", '', '/run/credstore.encrypted/test'],
  ])(`finds a credential${merges ? ' and merges extensions' : ''}: %s`, async (by, option, credential) => {
    const combined = `/opt/combined${option}`;
    await root.run(`initoverlayfs convert ${option} --extra ${extra} /opt/initrd -o ${combined}`);
    const name = `integration-systemd-${version}${option}`;
    await systemBoot(
      {
        name,
        kernel: await kernel(),
        initrd: await root.copyOut(combined, `${name}.img`),
        append: 'initoverlayfs=require root=/dev/nothing rd.systemd.wants=extras-report.service',
        memoryMiB: 1024,
        icount: 'sleep',
        timeoutSeconds: 600,
      },
      ({ values }) => {
        const found = [
          '/.extra/confext/conf',
          '/.extra/credentials/test.cred',
          '/.extra/sysext/app',
          credential,
        ];
        expect(values('version').join()).toMatch(new RegExp(`^systemd ${version}\\b`));
        expect(values('file')).toEqual(found);
        if (merges) expect(values('state')).toEqual(['systemd-sysext success', 'systemd-confext success']);
        const texts = [...values('sysext'), ...values('confext')];
        expect(texts).toEqual(
          merges ? ['of the system extension', 'of the configuration extension'] : ['none', 'none'],
        );
        expect(values('environment').join().includes('LISTEN_FDNAMES=initrd-extra'), by).toBe(option === '');
      },
    );
  });
});
