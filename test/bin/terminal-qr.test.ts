import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import jsQR from 'jsqr';
import { terminalQr } from '../../bin/terminal-qr.ts';

const PIXELS = 4;

test('a scanner reads the QR code drawn in the terminal', () => {
  const uri =
    'otpauth://totp/Countersign:ada%40example.com?secret=A243JDOSTUMINJR5QR4SVAA37HC75QDT&issuer=Countersign';
  const lines = stripVTControlCharacters(terminalQr(uri)).split('\n');
  const rows = lines.flatMap((line) => [
    [...line].map((character) => '█▀'.includes(character)),
    [...line].map((character) => '█▄'.includes(character)),
  ]);
  const width = (rows[0]?.length ?? 0) * PIXELS;
  const height = rows.length * PIXELS;
  const image = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    const dark = rows[Math.floor(at / width / PIXELS)]?.[Math.floor((at % width) / PIXELS)];
    image.set([...Array(3).fill(dark ? 0 : 255), 255], at * 4);
  }
  const decode = jsQR as unknown as typeof jsQR.default;
  assert.equal(decode(image, width, height)?.data, uri);
});
