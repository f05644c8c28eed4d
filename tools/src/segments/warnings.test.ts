// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { warningsOf } from './warnings.ts';

test('there may be more images to warn of than a function takes arguments', () => {
  const image = { name: 'kernel/initrd/root.erofs', offset: 0, size: 0, problems: ['is there twice'] };
  const images = Array(1_000_000).fill(image);
  const span = { kind: 'erofs cpio', offset: 0, size: 0, compression: 'none', unpackedSize: 0 } as const;
  const warnings = warningsOf([{ ...span, entries: 0, hasEarlyData: false, problems: [], images }]);
  expect(warnings).toHaveLength(images.length);
});
