// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheRoot, entry, entryPath, keyOf } from './cache.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cache-test-'));
  vi.stubEnv('XDG_CACHE_HOME', home);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

describe('entry', () => {
  it('makes an entry once', async () => {
    let made = 0;
    const make = async (folder: string) => {
      made++;
      writeFileSync(join(folder, 'file'), 'text');
    };
    const first = await entry('thing', ['a'], make);
    const second = await entry('thing', ['a'], make);
    expect(made).toBe(1);
    expect(second).toBe(first);
    expect(readFileSync(join(first, 'file'), 'utf8')).toBe('text');
  });

  it('leaves nothing behind when making it fails', async () => {
    const make = async (folder: string) => {
      writeFileSync(join(folder, 'half'), '');
      throw new Error('interrupted');
    };
    await expect(entry('thing', ['a'], make)).rejects.toThrow('interrupted');
    expect(existsSync(entryPath('thing', ['a']))).toBe(false);
    expect(readdirSync(join(home, 'initoverlayfs/thing'))).toEqual([]);
  });

  it('takes the entry of somebody who was faster', async () => {
    const make = (text: string) => async (folder: string) => {
      writeFileSync(join(folder, 'file'), text);
      if (text === 'slow') await entry('thing', ['a'], make('fast'));
    };
    const path = await entry('thing', ['a'], make('slow'));
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('fast');
    expect(readdirSync(join(home, 'initoverlayfs/thing'))).toHaveLength(1);
  });
});

describe('keyOf', () => {
  it('tells lists apart that join to the same text', () => {
    expect(keyOf(['ab', 'c'])).not.toBe(keyOf(['a', 'bc']));
    expect(keyOf(['ab', 'c'])).toBe(keyOf(['ab', Buffer.from('c')]));
  });
});

describe('cacheRoot', () => {
  it('follows the XDG base directories', () => {
    expect(cacheRoot({ XDG_CACHE_HOME: '/x' })).toBe('/x/initoverlayfs');
    expect(cacheRoot({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/initoverlayfs$/);
  });
});
