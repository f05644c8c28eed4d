// SPDX-License-Identifier: GPL-2.0-only
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export const fontFamily = 'DejaVu Sans';

interface TextItem {
  readonly text?: unknown;
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}
declare module 'vega' {
  /** The widths by which Vega lays text out; its own types leave them out. */
  const textMetrics: { width(item: TextItem, text?: unknown): number };
}
// Without a canvas, it takes every character for as wide as 0.8 of its height. DejaVu Sans is narrower.
vega.textMetrics.width = (item, text) =>
  String(text ?? item.text ?? '').length * (item.fontSize ?? 11) * (item.fontWeight === 'bold' ? 0.66 : 0.58);

/** Text as it may stand in XML and HTML, between tags and in quotes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The picture that a specification describes, as SVG that needs nothing beside itself, named for who cannot see it. */
export async function svgOf(spec: TopLevelSpec, description: string): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg.replace('<svg ', `<svg role="img" aria-label="${escapeXml(description)}" `);
}
