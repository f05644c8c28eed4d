// SPDX-License-Identifier: GPL-2.0-only
import type { PaxRecord } from '../codecs/tar.ts';
import type { Attributes } from './tree.ts';

/** Keys of star, which GNU tar and bsdtar write, and those of libarchive, of GNU tar --selinux and of --acls. */
const star = 'SCHILY.xattr.';
const libarchive = 'LIBARCHIVE.xattr.';
const selinux = 'RHT.security.selinux';
const lists = /^SCHILY\.acl\./;

/**
 * Reads the extended attributes in the pax headers of an entry. Their values may be any bytes.
 * @returns the attributes, if there are any, and sentences about what is not kept.
 */
export function xattrsOfPax(pax: PaxRecord[]): { xattrs: Attributes['xattrs']; lost: string[] } {
  const xattrs = new Map<string, Uint8Array>();
  let hasLists = false;
  // libarchive writes both keys, and what is in star's needs no decoding.
  for (const { key, value } of pax) {
    if (key.startsWith(libarchive)) xattrs.set(...decode(key.slice(libarchive.length), value));
    if (key === selinux) xattrs.set('security.selinux', Buffer.concat([value, Buffer.from('\0')]));
    hasLists ||= lists.test(key);
  }
  for (const { key, value } of pax) {
    if (!key.startsWith(star)) continue;
    // GNU tar writes = and % so, because the first = ends the key.
    const name = key.slice(star.length).replace(/%3D/g, '=').replace(/%25/g, '%');
    xattrs.set(name, Buffer.from(value));
  }
  hasLists &&= ![...xattrs.keys()].some((name) => name.startsWith('system.posix_acl_'));
  const lost = hasLists ? ['its access control list is not kept, because tar has it as text'] : [];
  return { xattrs: xattrs.size > 0 ? xattrs : undefined, lost };
}

/** Decodes a key with the encoding of URLs, and a value in base64. */
function decode(key: string, value: Buffer): [string, Uint8Array] {
  const name = key.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return [name, Buffer.from(value.toString('latin1'), 'base64')];
}
