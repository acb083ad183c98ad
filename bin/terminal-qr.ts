import * as qrcode from 'qrcode';

/** "A 4X wide quiet zone" around the symbol (ISO/IEC 18004), in modules. */
const QUIET = 4;
/** Black on white whatever the terminal's own colours are: scanners want dark modules on a light ground. */
const COLOURS = '\x1b[30;107m';
const RESET = '\x1b[0m';

/** A QR code of this text for a terminal, two rows of modules a line. */
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
