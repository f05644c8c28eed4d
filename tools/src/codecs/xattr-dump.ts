// SPDX-License-Identifier: GPL-2.0-only

/** Extended attributes of the file at a path, by name. Paths and names are byte strings. */
export interface PathXattrs {
  path: string;
  xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Writes attributes as `getfattr --dump` does and `setfattr --restore` reads it. */
export function writeXattrDump(files: PathXattrs[]): Buffer {
  return Buffer.from(files.map(recordOf).join('\n'), 'latin1');
}

function recordOf({ path, xattrs }: PathXattrs): string {
  const lines = [...xattrs].map(
    ([name, value]) => `${encode(name).replaceAll('=', '\\075')}=${textOf(value)}\n`,
  );
  return `# file: ${encode(path)}\n${lines.join('')}`;
}

/** Writes a value in base64. setfattr does not read an empty one in that. */
function textOf(value: Uint8Array): string {
  return value.length === 0 ? '""' : `0s${Buffer.from(value).toString('base64')}`;
}

/** Writes bytes in octal that matter in the format. */
function encode(text: string): string {
  const octal = (char: string) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return text.replace(/[^\x21-\x5b\x5d-\x7e]/g, octal);
}

/** Reads what `getfattr --dump --encoding=base64` writes. */
export function readXattrDump(dump: Uint8Array): PathXattrs[] {
  const records = Buffer.from(dump).toString('latin1').split('\n\n');
  return records.flatMap((record) => {
    const [head, ...lines] = record.split('\n').filter((line) => line !== '');
    if (!head?.startsWith('# file: ')) return [];
    const xattrs = new Map<string, Uint8Array>();
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)(?:=0s(.*))?$/.exec(line) ?? [];
      xattrs.set(decode(name), Buffer.from(value, 'base64'));
    }
    return [{ path: decode(head.slice('# file: '.length)), xattrs }];
  });
}

function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
