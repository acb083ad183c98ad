import assert from 'node:assert/strict';
import { Resvg } from '@resvg/resvg-js';
import jsQR from 'jsqr';

/**
 * Returns the text of a QR code in an SVG document. Other libraries than the one that made it draw and decode
 * it.
 */
export function scanned(svg: string): string {
  const image = new Resvg(svg, { fitTo: { mode: 'width', value: 600 } }).render();
  const decode = jsQR as unknown as typeof jsQR.default;
  const found = decode(Uint8ClampedArray.from(image.pixels), image.width, image.height);
  assert.ok(found, 'no QR code in the picture');
  return found.data;
}
