// SPDX-License-Identifier: GPL-2.0-only

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How much y grows with x: the line with the least squares. Undefined when all points have one x. */
export function slope(points: readonly Point[]): number | undefined {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const across = points.reduce((sum, { x }) => sum + (x - middleX) ** 2, 0);
  if (points.length < 2 || across === 0) return undefined;
  return points.reduce((sum, { x, y }) => sum + (x - middleX) * (y - middleY), 0) / across;
}
