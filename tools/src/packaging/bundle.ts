// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { build } from 'esbuild';

export const packageFolder = join(import.meta.dirname, '../..');
export const bundleFolder = join(packageFolder, 'dist');
export const bundle = join(bundleFolder, 'initoverlayfs.mjs');

/** Some of the bundled packages are CommonJS and call require() for modules of Node.js. */
const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** Bundles the program and the packages that it uses into one file, which starts without transpiling. */
export async function makeBundle(outfile: string = bundle): Promise<void> {
  await build({
    entryPoints: [join(packageFolder, 'src/initoverlayfs.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: banner },
    legalComments: 'eof',
    logLevel: 'warning',
  });
}
