import { toString as toQr } from 'qrcode';

/** A QR code as an SVG document, made here: the secret in it goes to no drawing service. */
export function qrSvg(text: string): Promise<string> {
  return toQr(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
}
