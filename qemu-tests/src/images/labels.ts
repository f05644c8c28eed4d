// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { erofs } from './initrd.ts';
import type { Paths } from './tree.ts';

// Labels that security modules go by.

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
export async function selinuxPolicy(): Promise<Buffer> {
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
  const folder = await mkdtemp(join(tmpdir(), 'initoverlayfs-test-'));
  try {
    const [source, policy] = [join(folder, 'policy.conf'), join(folder, 'policy')];
    await writeFile(source, text);
    await execa('checkpolicy', ['-U', 'allow', '-o', policy, source]);
    return await readFile(policy);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The start of security.ima: a digest with an algorithm, which is SHA-256 (security/integrity/integrity.h). */
const digestType = Buffer.from([4, 4]);

/** Makes an image in which the files of these names have their SHA-256 in security.ima. */
export function hashedImage(paths: Paths, hashed: readonly string[]): Promise<Buffer> {
  const labelled = Object.entries(paths).map(([name, inode]) => {
    if (inode.type !== 'file' || !hashed.includes(name)) return [name, inode];
    const digest = createHash('sha256').update(inode.data).digest();
    return [name, { ...inode, xattrs: new Map([['security.ima', Buffer.concat([digestType, digest])]]) }];
  });
  return erofs(Object.fromEntries(labelled));
}
