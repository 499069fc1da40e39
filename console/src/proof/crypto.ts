/**
 * SHA-256 and Ed25519 (RFC 8032). The browser's own Ed25519 where it has one; older browsers, and pages that are not
 * served over HTTPS, have none, and there the arithmetic of @noble is used. Both refuse the same signatures.
 */
import { hashes, verify as verifyInScript } from '@noble/ed25519'
import { sha256 as digest, sha512 } from '@noble/hashes/sha2.js'

hashes.sha512 = sha512

export const sha256 = (bytes: Uint8Array): Uint8Array => digest(bytes)

/** Whether this is the key's signature of the message. */
export async function isSigned(key: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false
  const own = await nativeKey(key)
  if (own) return crypto.subtle.verify('Ed25519', own, signature, message)
  return isSignedInScript(key, signature, message)
}

export function isSignedInScript(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  try {
    return verifyInScript(signature, message, key, { zip215: false })
  } catch {
    return false
  }
}

async function nativeKey(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
  } catch {
    return null
  }
}
