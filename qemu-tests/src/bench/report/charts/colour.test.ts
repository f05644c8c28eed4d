// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from 'vitest';
import { allWays } from '../../model/way.ts';
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
  for (const way of allWays)
    expect(1.05 / (luminance(styleOf(way).colour) + 0.05), way).toBeGreaterThan(2.85);
});

test('no two ways look the same, not even without colour', () => {
  const looks = allWays.map((way) => {
    const { dash, shape, full } = styleOf(way);
    return JSON.stringify([dash, shape, full]);
  });
  expect(new Set(looks).size).toBe(allWays.length);
  expect(new Set(allWays.map((way) => styleOf(way).colour)).size).toBe(allWays.length);
});

test('the scales give each way its own style', () => {
  for (const [index, way] of allWays.entries()) {
    expect(scales.colour.domain[index]).toBe(way);
    expect(scales.colour.range[index]).toBe(styleOf(way).colour);
    expect(scales.dash.range[index]).toEqual(styleOf(way).dash);
    expect(scales.shape.range[index]).toBe(styleOf(way).shape);
    expect(scales.fill.range[index]).toBe(styleOf(way).full ? styleOf(way).colour : '#ffffff');
  }
});
