import assert from 'node:assert/strict';
import { Resvg } from '@resvg/resvg-js';
import jsQR from 'jsqr';

/** What a scanner reads in the picture of an SVG document: drawn and decoded by libraries that did not make it. */
export function scanned(svg: string): string {
  const image = new Resvg(svg, { fitTo: { mode: 'width', value: 600 } }).render();
  const decode = jsQR as unknown as typeof jsQR.default;
  const found = decode(Uint8ClampedArray.from(image.pixels), image.width, image.height);
  assert.ok(found, 'no QR code in the picture');
  return found.data;
}
