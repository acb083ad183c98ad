const fullWidth = (code: string) =>
  code.replace(/[0-9A-Za-z]/g, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0));

/** The ways in which people type a code of six digits. */
export const typedForms: Record<string, (code: string) => string> = {
  'a space': (code) => `${code.slice(0, 3)} ${code.slice(3)}`,
  'a dash': (code) => `${code.slice(0, 3)}-${code.slice(3)}`,
  'a no-break space': (code) => `${code.slice(0, 3)}\u00a0${code.slice(3)}`,
  'an en dash': (code) => `${code.slice(0, 3)}\u2013${code.slice(3)}`,
  'a zero-width space': (code) => `\u200b${code}`,
  'full-width digits': fullWidth,
};

/** Returns a backup code in full-width letters, with the dashes of a full-width keyboard. */
export const wideBackupCode = (code: string) => fullWidth(code).replaceAll('-', '\uff0d');
