// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

let root: DebianRoot;

beforeAll(async () => {
  root = await DebianRoot.make('dracut', 'systemd');
  await root.installProject();
  const guest = join(import.meta.dirname, 'guest');
  const unit = '/etc/systemd/system/extras-report.service';
  await root.copyIn(join(guest, 'extras-report'), 'extras-report');
  await root.copyIn(join(guest, 'extras-report.service'), unit);
  const include = ['/extras-report', unit].map((path) => `--include ${path} ${path}`).join(' ');
  const modules = 'systemd systemd-initrd systemd-sysext systemd-creds';
  await root.run(
    `dracut --quiet --no-kernel --no-hostonly --add "${modules}" --install tr ${include} /opt/initrd 7.3`,
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
])('systemd merges extensions and finds a credential: %s', async (by, option, credential) => {
  const combined = `/opt/combined${option}`;
  await root.run(`initoverlayfs convert ${option} --extra ${extra} /opt/initrd -o ${combined}`);
  await systemBoot(
    {
      name: `integration-systemd${option}`,
      kernel: await kernel(),
      initrd: await root.copyOut(combined, `integration-systemd${option}.img`),
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
      expect(values('file')).toEqual(found);
      expect(values('state')).toEqual(['systemd-sysext success', 'systemd-confext success']);
      expect(values('sysext')).toEqual(['of the system extension']);
      expect(values('confext')).toEqual(['of the configuration extension']);
      expect(values('environment').join().includes('LISTEN_FDNAMES=initrd-extra'), by).toBe(option === '');
    },
  );
});
