// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { baseFile, basesFolder, type Listed, listBases, listFile, sha256 } from './base.ts';
import { commonOptions, type Member, members, newerRecipes, recipes } from './recipe.ts';

// Needs root, and a folder for temporary files that takes extended attributes: mkfs.erofs shares the attributes of a
// tree, not those of an archive.

// Makes the base images again. With other images every seed gives other mutants, and the corpus is useless: only for
// a reason, and together with a change of `recipe.ts`.

const { mkfs, newer } = new Command('generate')
  .description('Makes the base images that mutants are made from.')
  .option('--mkfs <path>', 'use this mkfs.erofs, 1.8 with every compressor', 'mkfs.erofs')
  .option('--newer', 'make those with features that Linux 6.12 does not know, with mkfs.erofs 1.9')
  .parse()
  .opts();

async function tar(tree: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type, mode, content, target, xattrs = {} } of tree) {
    const pax = Object.fromEntries(
      Object.entries(xattrs).map(([key, value]) => [`SCHILY.xattr.${key}`, value]),
    );
    const header = { name, type, mode, uid: 1, gid: 2, mtime: new Date(0), pax };
    const device = type === 'character-device' ? { devmajor: 1, devminor: 3 } : {};
    const all = { ...header, ...device, ...(target === undefined ? {} : { linkname: target }) };
    if (content === undefined) archive.entry(all);
    else archive.entry(all, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const archive = await tar(members());
const { stdout: version } = await execa(mkfs, ['-V']);
const root = await mkdtemp(join(tmpdir(), 'initoverlayfs-'));
const unpack = ['--extract', '--preserve-permissions', '--xattrs', '--xattrs-include=*', '--directory', root];
await execa('tar', unpack, { input: archive });
const listed: Record<string, Listed> = {};
for (const { name, options } of newer ? newerRecipes : recipes) {
  const image = join(basesFolder, name);
  await execa(mkfs, [...commonOptions, ...options, image, root]);
  const { stdout: bytes } = await execa('cat', [image], { encoding: 'buffer' });
  await execa('rm', [image]);
  const { stdout: packed } = await execa('xz', ['-9e', '--stdout', '--check=crc32'], {
    input: bytes,
    encoding: 'buffer',
  });
  await writeFile(baseFile(name), packed);
  listed[name] = { bytes: bytes.length, sha256: sha256(bytes), ...(newer && { newer }) };
  process.stderr.write(`${name}: ${bytes.length} bytes, ${packed.length} packed\n`);
}
await rm(root, { recursive: true });
const made = version.split('\n')[0];
const before = listBases();
const kept = Object.entries(before.bases).filter(([, base]) => (base.newer ?? false) !== (newer ?? false));
const list = {
  ...before,
  ...(newer ? { newerMkfs: made } : { mkfs: made }),
  bases: newer ? { ...Object.fromEntries(kept), ...listed } : { ...listed, ...Object.fromEntries(kept) },
};
await writeFile(listFile, `${JSON.stringify(list, undefined, 2)}\n`);
