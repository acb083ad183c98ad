import * as qrcode from 'qrcode';

/** Width of the quiet zone, in modules: "A 4X wide quiet zone" (ISO/IEC 18004). */
const QUIET = 4;
/** Black on white in every terminal: scanners expect dark modules on a light background. */
const COLOURS = '\x1b[30;107m';
const RESET = '\x1b[0m';

/** Returns a QR code of a text for a terminal, with two rows of modules per line. */
export function terminalQr(text: string): string {
  const { modules } = qrcode.create(text, { errorCorrectionLevel: 'L' });
  const dark = (row: number, column: number) => {
    const inside = Math.min(row, column) >= 0 && Math.max(row, column) < modules.size;
    return inside && modules.get(row, column) !== 0;
  };
  const lines: string[] = [];
  for (let row = -QUIET; row < modules.size + QUIET; row += 2) {
    let line = '';
    for (let column = -QUIET; column < modules.size + QUIET; column++) {
      const [upper, lower] = [dark(row, column), dark(row + 1, column)];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    lines.push(COLOURS + line + RESET);
  }
  return lines.join('\n');
}
