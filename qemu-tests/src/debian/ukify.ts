// SPDX-License-Identifier: GPL-2.0-only
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { unpackedProgram } from './unpacked.ts';

/** The ukify of a release of Debian that knows profiles, run by this machine's Python. */
export interface Ukify {
  /** Runs `ukify build`, with a path as value for each option; several values repeat it. */
  build(output: string, options: Record<string, string | readonly string[]>): Promise<void>;
  /** The systemd-stub to take for a whole UKI, and for one profile to join. */
  readonly stubs: { readonly whole: string; readonly profile: string };
}

/** Unpacks ukify, or finds it in the cache. @throws Error with mmdebstrap's own words when it cannot be had. */
export async function ukify(): Promise<Ukify> {
  const program = await unpackedProgram('trixie', 'systemd-ukify,systemd-boot-efi', 'usr/bin/ukify');
  const root = join(dirname(program), 'root/usr');
  const stubs = join(root, 'lib/systemd/boot/efi');
  return {
    stubs: { whole: join(stubs, 'linuxx64.efi.stub'), profile: join(stubs, 'addonx64.efi.stub') },
    async build(output, options) {
      const args = Object.entries(options).flatMap(([name, values]) =>
        [values].flat().map((value) => `--${name}=${value}`),
      );
      await execa('python3', [join(root, 'bin/ukify'), 'build', ...args, `--output=${output}`], {
        env: { PYTHONPATH: join(root, 'lib/python3/dist-packages') },
      });
    },
  };
}
