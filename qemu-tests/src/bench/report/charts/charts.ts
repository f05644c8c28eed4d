// SPDX-License-Identifier: GPL-2.0-only
import type { TopLevelSpec } from 'vega-lite';
import type { Results } from '../../model/schema.ts';
import { smallestDrawing, storageDrawing, systemDrawing } from './bar-drawings.ts';
import type { Drawing } from './drawing.ts';
import { memoryDrawing, sizeDrawing, useDrawing } from './line-drawings.ts';
import { fontFamily, svgOf } from './picture.ts';

export interface Chart {
  /** Of its file, without an ending; also of the section of the report that it belongs to. */
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

/** Returns the specification of a picture: white, one font, no frame, a light grid. */
function specOf({ title, subtitle, panels }: Drawing): TopLevelSpec {
  return {
    background: '#ffffff',
    padding: 14,
    title: {
      text: title,
      subtitle: [...subtitle],
      anchor: 'start',
      fontSize: 15,
      subtitleFontSize: 11,
      subtitleColor: '#444444',
      subtitlePadding: 5,
      offset: 14,
    },
    vconcat: [...panels],
    spacing: 26,
    config: {
      font: fontFamily,
      view: { stroke: null },
      axis: {
        labelFontSize: 10.5,
        titleFontSize: 11,
        titleFontWeight: 'normal',
        labelColor: '#222222',
        titleColor: '#222222',
        gridColor: '#dddddd',
        domainColor: '#666666',
        tickColor: '#666666',
      },
    },
  };
}

/** The pictures of the results. Those of experiments without rows are left out, and so are points of missing rows. */
export async function charts(results: Results): Promise<Chart[]> {
  const drawings = [
    sizeDrawing,
    useDrawing,
    memoryDrawing,
    systemDrawing,
    storageDrawing,
    smallestDrawing,
  ].flatMap((draw) => draw(results));
  return await Promise.all(
    drawings.map(async (drawing) => ({
      name: drawing.name,
      title: drawing.title,
      svg: await svgOf(specOf(drawing), `${[drawing.title, ...drawing.subtitle].join('. ')}.`),
    })),
  );
}
