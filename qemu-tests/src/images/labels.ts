// SPDX-License-Identifier: GPL-2.0-only
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Paths } from './tree.ts';

// Labels that security modules go by.

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The labels that the kernel has before any policy, in their order. */
const initialSids = [
  ...['kernel', 'security', 'unlabeled', 'fs', 'file', 'file_labels', 'init', 'any_socket', 'port', 'netif'],
  ...['netmsg', 'node', 'igmp_packet', 'icmp_socket', 'tcp_socket', 'sysctl_modprobe', 'sysctl', 'sysctl_fs'],
  ...['sysctl_kernel', 'sysctl_net', 'sysctl_net_unix', 'sysctl_vm', 'sysctl_dev', 'kmod', 'policy'],
  ...['scmp_packet', 'devnull'],
];

/**
 * Compiles a policy for SELinux by which all programs run but those of a tmpfs. Files have one label, except those of
 * overlayfs, which programs open, of EROFS, which is below it, and of tmpfs.
 */
export function selinuxPolicy(): Promise<Buffer> {
  const labels = Object.entries({ overlay: 'image', erofs: 'lower', tmpfs: 'extra' });
  const text = [
    'class file',
    'class process',
    ...initialSids.map((sid) => `sid ${sid}`),
    'class file { read write execute execute_no_trans entrypoint map execmod open getattr }',
    'class process { transition dyntransition execmem }',
    ...['base', 'image', 'lower', 'extra'].map((name) => `type ${name}_t;`),
    'role r; role r types { base_t image_t lower_t extra_t };',
    'allow base_t { base_t image_t lower_t }:file *;',
    'allow base_t extra_t:file { read open getattr map };',
    'allow base_t base_t:process *;',
    'user u roles { r };',
    ...initialSids.map((sid) => `sid ${sid} u:r:base_t`),
    ...labels.map(([type, name]) => `genfscon ${type} / u:r:${name}_t`),
    '',
  ].join('\n');
  return inFolder(async (folder) => {
    const [source, policy] = [join(folder, 'policy.conf'), join(folder, 'policy')];
    await writeFile(source, text);
    await execa('checkpolicy', ['-U', 'allow', '-o', policy, source]);
    return readFile(policy);
  });
}

/**
 * Makes an image in which the files of these names have their SHA-256 in security.ima. For root only: the xattrs come
 * from a tree on the host.
 */
export function hashedImage(paths: Paths, hashed: readonly string[]): Promise<Buffer> {
  return inFolder(async (folder) => {
    const [tree, image] = [join(folder, 'tree'), join(folder, 'image')];
    for (const [name, inode] of Object.entries(paths)) {
      const place = join(tree, name);
      await mkdir(inode.type === 'directory' ? place : dirname(place), { recursive: true });
      if (inode.type !== 'file') continue;
      await writeFile(place, inode.data);
      await chmod(place, inode.mode & 0o7777);
    }
    // The attribute starts with a type, that of a digest with an algorithm, and the algorithm, SHA-256.
    const attribute = `import hashlib, os, sys
for path in sys.argv[1:]:
    digest = hashlib.sha256(open(path, 'rb').read()).digest()
    os.setxattr(path, 'security.ima', b'\\x04\\x04' + digest)`;
    await execa('python3', ['-c', attribute, ...hashed.map((name) => join(tree, name))]);
    await execa('mkfs.erofs', ['-x1', image, tree]);
    return readFile(image);
  });
}
