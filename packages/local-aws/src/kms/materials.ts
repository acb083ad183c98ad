import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** The material of a symmetric key: 32 bytes. */
export interface Material {
  key: Buffer;
}

export type EncryptionContext = Record<string, string>;

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Reads the keys' material from `folder`, and makes missing keys. Existing material is never replaced. The file is
 * replaced as a whole, so nobody reads half of it.
 */
export async function loadMaterials(folder: string, keyIds: string[]): Promise<Map<string, Material>> {
  const file = join(folder, 'keys.json');
  const materials = await readMaterials(file);
  const missing = keyIds.filter((id) => !materials.has(id));
  for (const id of missing) materials.set(id, { key: randomBytes(32) });
  if (missing.length > 0) await writeMaterials(file, materials);
  return materials;
}

/** Encrypts into a blob that names its key, and opens under the same encryption context only. */
export function encryptBlob(
  keyId: string,
  material: Material,
  context: EncryptionContext,
  plaintext: Buffer,
): Buffer {
  const id = Buffer.from(keyId);
  const head = Buffer.concat([Buffer.from([VERSION, id.length]), id]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', material.key, iv);
  cipher.setAAD(associatedData(head, context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([head, iv, cipher.getAuthTag(), sealed]);
}

/** Reads the id of a blob's key; undefined if it is no blob of ours. */
export function blobKeyId(blob: Buffer): string | undefined {
  const length = blob[1] ?? 0;
  if (blob[0] !== VERSION || blob.length < 2 + length + IV_BYTES + TAG_BYTES) return undefined;
  return blob.toString('utf8', 2, 2 + length);
}

/** Opens a blob; undefined if key, context and blob do not belong together. */
export function decryptBlob(
  material: Material,
  context: EncryptionContext,
  blob: Buffer,
): Buffer | undefined {
  const headLength = 2 + (blob[1] ?? 0);
  const iv = blob.subarray(headLength, headLength + IV_BYTES);
  const tag = blob.subarray(headLength + IV_BYTES, headLength + IV_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', material.key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(blob.subarray(0, headLength), context));
    decipher.setAuthTag(tag);
    const sealed = blob.subarray(headLength + IV_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Encodes head and context unambiguously, whatever the order of the pairs. */
function associatedData(head: Buffer, context: EncryptionContext): Buffer {
  const pairs = Object.keys(context)
    .toSorted()
    .map((name) => [name, context[name]]);
  return Buffer.concat([head, Buffer.from(JSON.stringify(pairs))]);
}

async function readMaterials(file: string): Promise<Map<string, Material>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  const stored = JSON.parse(text) as Record<string, { key: string }>;
  return new Map(Object.entries(stored).map(([id, { key }]) => [id, { key: Buffer.from(key, 'base64') }]));
}

async function writeMaterials(file: string, materials: Map<string, Material>): Promise<void> {
  const stored = Object.fromEntries(
    [...materials].map(([id, { key }]) => [id, { key: key.toString('base64') }]),
  );
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(stored));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
