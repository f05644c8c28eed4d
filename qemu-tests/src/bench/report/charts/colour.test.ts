// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { allPaths } from '../../model/way.ts';
import { scales, styleOf } from './colour.ts';

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('every colour stands out from white paper', () => {
  // WCAG 2.2, 1.4.11: 3 to 1 for graphical objects. Within 5 percent of it, for the lightest of each family.
  for (const path of allPaths)
    expect(1.05 / (luminance(styleOf(path).colour) + 0.05), path).toBeGreaterThan(2.85);
});

test('no two paths look the same, not even without colour', () => {
  const looks = allPaths.map((path) => {
    const { dash, shape, full } = styleOf(path);
    return JSON.stringify([dash, shape, full]);
  });
  expect(new Set(looks).size).toBe(allPaths.length);
  expect(new Set(allPaths.map((path) => styleOf(path).colour)).size).toBe(allPaths.length);
});

test('the scales give each path its own style', () => {
  for (const [index, path] of allPaths.entries()) {
    expect(scales.colour.domain[index]).toBe(path);
    expect(scales.colour.range[index]).toBe(styleOf(path).colour);
    expect(scales.dash.range[index]).toEqual(styleOf(path).dash);
    expect(scales.shape.range[index]).toBe(styleOf(path).shape);
    expect(scales.fill.range[index]).toBe(styleOf(path).full ? styleOf(path).colour : '#ffffff');
  }
});
