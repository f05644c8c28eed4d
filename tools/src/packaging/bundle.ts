// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { build } from 'esbuild';

export const packageFolder = join(import.meta.dirname, '../..');
export const bundleFolder = join(packageFolder, 'dist');
export const bundle = join(bundleFolder, 'initoverlayfs.mjs');

/** Some of the bundled packages are CommonJS and call require() for modules of Node.js. */
const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/**
 * Bundles the program and the packages that it uses into one file, which starts without transpiling. Debian 12 has
 * Node.js 18.
 * @returns the paths of the files that went into it, from the current folder.
 */
export async function makeBundle(outfile: string = bundle): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(packageFolder, 'src/initoverlayfs.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node18',
    metafile: true,
    format: 'esm',
    banner: { js: banner },
    legalComments: 'eof',
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}
